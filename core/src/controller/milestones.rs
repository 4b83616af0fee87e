//! Numbers of samples at which something happens.

use core::fmt;
use core::str::FromStr;

use super::list::{self, ListError, MOST_ENTRIES};

/// Up to twelve ascending numbers of samples, as text with blanks or commas between them. Numbers may end with K, M or B.
/// By default after one, two and four epochs of MNIST.
///
/// ```
/// use adadagrad_core::controller::Milestones;
///
/// let milestones: Milestones = "60K 1.5M".parse()?;
/// assert_eq!(milestones.between(0, 59_999), 0);
/// assert_eq!(milestones.between(59_999, 1_500_000), 2);
/// assert_eq!("2K 1K".parse::<Milestones>().unwrap_err().to_string(), "entry 2 is not above the one before it");
/// # Ok::<(), adadagrad_core::controller::ListError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Milestones {
    samples: [u64; MOST_ENTRIES],
    len: usize,
}

impl Default for Milestones {
    fn default() -> Self {
        let mut milestones = Self::NONE;
        milestones.samples[..3].copy_from_slice(&[60_000, 120_000, 240_000]);
        milestones.len = 3;
        milestones
    }
}

impl Milestones {
    /// No milestones.
    pub const NONE: Self = Self { samples: [0; MOST_ENTRIES], len: 0 };

    /// Where they are.
    #[must_use]
    pub fn samples(&self) -> &[u64] {
        &self.samples[..self.len]
    }

    /// How many are passed on the way from `before` to `after` samples. One at 0 never is: the run begins there.
    #[must_use]
    pub fn between(&self, before: u64, after: u64) -> usize {
        self.samples().iter().filter(|&&milestone| before < milestone && milestone <= after).count()
    }
}

impl FromStr for Milestones {
    type Err = ListError;

    fn from_str(text: &str) -> Result<Self, ListError> {
        let mut milestones = Self::NONE;
        for (index, entry) in list::entries(text).enumerate() {
            let place = index + 1;
            let samples = list::number(entry, place)?;
            if index == MOST_ENTRIES {
                return Err(ListError::Long);
            }
            if samples == 0 {
                return Err(ListError::MilestoneAtStart { place });
            }
            if index > 0 && samples <= milestones.samples[index - 1] {
                return Err(ListError::Order { place });
            }
            (milestones.samples[index], milestones.len) = (samples, place);
        }
        Ok(milestones)
    }
}

impl fmt::Display for Milestones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, &samples) in self.samples().iter().enumerate() {
            let blank = if index == 0 { "" } else { " " };
            write!(f, "{blank}{}", list::Short(samples))?;
        }
        Ok(())
    }
}

#[cfg(feature = "serde")]
list::as_text!(Milestones);

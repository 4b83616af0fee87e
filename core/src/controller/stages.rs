use core::fmt;
use core::str::FromStr;

use super::list::{self, ListError, MOST_ENTRIES};
use super::{Controller, Decision, Situation, Words};
use crate::real::Real;
use crate::settings::Field;

/// The batch has the size of the last stage that has begun: a list of sizes over samples seen. `wanted` is that size.
///
/// ```
/// use adadagrad_core::controller::{StageList, Stages};
///
/// let schedule: StageList = "0:64 1M:256 4M:1024".parse()?;
/// assert_eq!(schedule.size_after(999_999), 64);
/// assert_eq!(schedule.size_after(1_000_000), 256);
/// let stages = Stages { schedule };
/// assert_eq!(stages.schedule.to_string(), "0:64 1M:256 4M:1024");
/// # Ok::<(), adadagrad_core::controller::ListError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Stages {
    /// The stages. A single one of 64 samples by default.
    pub schedule: StageList,
}

crate::settings::settings!(Stages {
    title: "list of sizes",
    doc: "The batch size follows a list: each size applies from a given number of samples seen.",
    source: "as in Megatron-LM and PyTorch scripts",
    fields: {
        schedule: StageList = StageList::default() => Field::new(
            "stages",
            "Pairs start:size, with the number of samples seen at which each size begins, such as 0:64 1M:256 4M:1024.",
        )
        .text("0:64", &[])
        .retunable()
        .flag("schedule")
        .placeholder("STAGES"),
    },
});

impl Stages {
    /// What it does, in words.
    pub const WORDS: Words = Words {
        grew: "the list of sizes has reached its next stage",
        shrank: "the list of sizes has reached its next stage",
        kept: "the list of sizes has not reached another stage",
        against: "The list is fixed before the run and does not depend on the gradients.",
    };
}

impl<S: Real> Controller<S> for Stages {
    type State = ();

    fn decide(&self, (): (), now: &Situation<'_, S>) -> (Decision, ()) {
        let size = self.schedule.size_after(now.samples_seen);
        (Decision::next(now.limits.clip(size)).wanting(f64::from(size)), ())
    }

    fn first_batch(&self, _: u32) -> u32 {
        self.schedule.size_after(0)
    }
}

/// Up to twelve stages, as text: `start:size` each, in ascending order, the first at 0, with blanks or commas between
/// them. Numbers may end with K, M or B: thousands, millions, billions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageList {
    starts: [u64; MOST_ENTRIES],
    sizes: [u32; MOST_ENTRIES],
    len: usize,
}

impl StageList {
    /// The stages, each with its start and its size.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        self.starts.iter().copied().zip(self.sizes.iter().copied()).take(self.len)
    }

    /// The size of the batch after `seen` samples.
    #[must_use]
    pub fn size_after(&self, seen: u64) -> u32 {
        self.iter().take_while(|&(start, _)| start <= seen).last().map_or(self.sizes[0], |(_, size)| size)
    }
}

impl Default for StageList {
    fn default() -> Self {
        let mut sizes = [0; MOST_ENTRIES];
        sizes[0] = 64;
        Self { starts: [0; MOST_ENTRIES], sizes, len: 1 }
    }
}

impl FromStr for StageList {
    type Err = ListError;

    fn from_str(text: &str) -> Result<Self, ListError> {
        let mut stages = Self { starts: [0; MOST_ENTRIES], sizes: [0; MOST_ENTRIES], len: 0 };
        for (index, entry) in list::entries(text).enumerate() {
            let place = index + 1;
            let (start, size) = entry.split_once(':').ok_or(ListError::Pair { place })?;
            let start = list::number(start, place)?;
            let size = list::number(size, place)?;
            if index == MOST_ENTRIES {
                return Err(ListError::Long);
            }
            if index == 0 && start != 0 {
                return Err(ListError::Start);
            }
            if index > 0 && start <= stages.starts[index - 1] {
                return Err(ListError::Order { place });
            }
            let size = u32::try_from(size).map_err(|_| ListError::LargeBatch { place })?;
            if size == 0 {
                return Err(ListError::EmptyBatch { place });
            }
            (stages.starts[index], stages.sizes[index], stages.len) = (start, size, place);
        }
        if stages.len == 0 { Err(ListError::Empty) } else { Ok(stages) }
    }
}

impl fmt::Display for StageList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (start, size)) in self.iter().enumerate() {
            let blank = if index == 0 { "" } else { " " };
            write!(f, "{blank}{}:{size}", list::Short(start))?;
        }
        Ok(())
    }
}

#[cfg(feature = "serde")]
list::as_text!(StageList);

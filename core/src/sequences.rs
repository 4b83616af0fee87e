//! Sequences of tokens, cut from one long run of them: what texts are.

use core::fmt;
use core::marker::PhantomData;

use crate::dataset::{Dataset, ReadError, SampleShape, Targets, Visit};
use crate::real::Real;

/// A long run of tokens, cut into sequences of `context` tokens that do not overlap. The label at each position is the token
/// behind it, so that a network learns to say what comes next. What does not fill a sequence at the end is left out.
///
/// `B` holds the tokens, a slice or your own buffer, as whole numbers of type `T`: `u8` for at most 256 of them, else `u16`
/// or `u32`.
///
/// ```
/// use adadagrad_core::dataset::{Dataset, Targets};
/// use adadagrad_core::sequences::Sequences;
///
/// let data = Sequences::new(&b"abcabcab"[..], 3, 256)?;
/// let (mut tokens, mut labels) = ([0.0_f32; 3], [0; 3]);
/// data.read(1.into(), &mut tokens, &mut Targets::labels(&mut labels)).map_err(|error| error.reason).unwrap();
/// assert_eq!((tokens, labels), ([97.0, 98.0, 99.0], [98, 99, 97]));
/// // Of the third, the last label would be missing.
/// assert_eq!(Dataset::<f32>::len(&data), 2);
/// # Ok::<(), adadagrad_core::sequences::SequencesError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sequences<B, T> {
    tokens: B,
    shape: SampleShape,
    count: u32,
    kind: PhantomData<T>,
}

/// Why tokens are no sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequencesError {
    /// Sequences of no token.
    NoContext,
    /// There are too few tokens for one sequence and the token behind it.
    TooShort {
        /// How many there are.
        tokens: usize,
        /// Tokens of a sequence.
        context: u32,
    },
    /// There are more sequences than 32 bits count.
    TooLong,
    /// A token that the vocabulary does not have.
    Token {
        /// Its place among all, counted from 0.
        place: usize,
        /// The token.
        token: u32,
        /// Number of tokens that there are.
        vocabulary: u32,
    },
}

impl fmt::Display for SequencesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoContext => f.write_str("a sequence needs at least one token"),
            Self::TooShort { tokens, context } => write!(
                f,
                "{tokens} tokens are too few: a sequence of {context} and the token behind it need {}",
                u64::from(*context) + 1
            ),
            Self::TooLong => f.write_str("there are more sequences than fit in 32 bits"),
            Self::Token { place, token, vocabulary } => {
                write!(f, "token {token} at place {place} is outside of the vocabulary of {vocabulary}")
            }
        }
    }
}

impl core::error::Error for SequencesError {}

impl<T: Copy + Into<u32>, B: AsRef<[T]>> Sequences<B, T> {
    /// Checks every token.
    ///
    /// # Errors
    /// When there is no sequence, or a token is not below `vocabulary`.
    pub fn new(tokens: B, context: u32, vocabulary: u32) -> Result<Self, SequencesError> {
        let all = tokens.as_ref();
        let too_short = SequencesError::TooShort { tokens: all.len(), context };
        let len = usize::try_from(context).map_err(|_| too_short)?;
        let count = all.len().saturating_sub(1).checked_div(len).ok_or(SequencesError::NoContext)?;
        if count == 0 {
            return Err(too_short);
        }
        let count = u32::try_from(count).map_err(|_| SequencesError::TooLong)?;
        let wrong = all.iter().map(|&token| token.into()).enumerate().find(|&(_, token)| token >= vocabulary);
        if let Some((place, token)) = wrong {
            return Err(SequencesError::Token { place, token, vocabulary });
        }
        Ok(Self { tokens, shape: SampleShape::tokens(context, vocabulary), count, kind: PhantomData })
    }

    /// All tokens, also those at the end that fill no sequence.
    #[must_use]
    pub fn tokens(&self) -> &[T] {
        self.tokens.as_ref()
    }

    /// The tokens of a sequence, and the one behind it; `None` where there is no such sequence.
    #[must_use]
    pub fn sequence(&self, index: u32) -> Option<&[T]> {
        // Within the tokens, which were checked, so that nothing overflows.
        let context = self.shape.input.len();
        let index = (index < self.count).then_some(index as usize)?;
        self.tokens.as_ref().get(index * context..)?.get(..=context)
    }
}

impl<F: Real, T: Copy + Into<u32>, B: AsRef<[T]>> Dataset<F> for Sequences<B, T> {
    fn shape(&self) -> SampleShape {
        self.shape
    }

    fn len(&self) -> u32 {
        self.count
    }

    fn read(&self, visit: Visit, input: &mut [F], targets: &mut Targets<'_, F>) -> Result<(), ReadError> {
        let tokens = self.sequence(visit.sample).ok_or(ReadError::new("there is no such sequence"))?;
        for (x, &token) in input.iter_mut().zip(tokens) {
            *x = F::of(f64::from(token.into()));
        }
        for (label, &token) in targets.labels.iter_mut().zip(tokens.iter().skip(1)) {
            *label = token.into();
        }
        Ok(())
    }
}

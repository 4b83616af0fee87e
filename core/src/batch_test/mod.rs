//! Batch-size tests: one file per test. Each turns [`Evidence`] into the batch size that would pass, or the reason
//! why there is none.

mod augmented;
mod coordinate_norm;
mod inner_product;
mod norm;
mod orthogonality;
mod rows;
mod worker_norm;

pub use augmented::AugmentedTest;
pub use coordinate_norm::CoordinateNormTest;
pub use inner_product::InnerProductTest;
pub use norm::NormTest;
pub use orthogonality::OrthogonalityTest;
pub use worker_norm::WorkerNormTest;

use crate::real::Real;
use crate::statistics::{Evidence, Needs, Reason};

/// The batch size that a test requires.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Required<S> {
    /// T, which is finite: the test passes for a batch of b samples exactly when T ≤ b.
    Size(S),
    /// No batch size is large enough: the noise dominates, or T is out of the type's range.
    Unbounded,
    /// The evidence does not define a size.
    Undefined(Reason),
}

impl<S: Real> Required<S> {
    /// T, if it is defined.
    #[must_use]
    pub fn size(self) -> Option<S> {
        match self {
            Self::Size(size) => Some(size),
            Self::Unbounded | Self::Undefined(_) => None,
        }
    }

    /// Why there is no size.
    #[must_use]
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Size(_) => None,
            Self::Unbounded => Some(Reason::Unbounded),
            Self::Undefined(reason) => Some(reason),
        }
    }

    /// The larger requirement; undefined wins, then unbounded.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        match (self, other) {
            (Self::Undefined(_), _) | (Self::Unbounded, Self::Size(_)) => self,
            (_, Self::Undefined(_)) | (Self::Size(_), Self::Unbounded) => other,
            (Self::Size(a), Self::Size(b)) => Self::Size(a.max(b)),
            (Self::Unbounded, Self::Unbounded) => self,
        }
    }
}

impl<S: Real> From<Result<S, Reason>> for Required<S> {
    fn from(result: Result<S, Reason>) -> Self {
        match result {
            Ok(size) if size.is_nan() => Self::Undefined(Reason::NonFinite),
            Ok(size) if size.is_infinite() => Self::Unbounded,
            Ok(size) => Self::Size(size),
            Err(Reason::NonPositiveDebiasedNorm | Reason::Unbounded) => Self::Unbounded,
            Err(reason) => Self::Undefined(reason),
        }
    }
}

/// A batch-size test. Object-safe, so that a program can choose one at run time.
pub trait BatchTest<S: Real> {
    /// The statistics that an engine must compute for it.
    fn needs(&self) -> Needs;

    /// T, the batch size that would pass.
    fn required(&self, evidence: &Evidence<S>) -> Required<S>;

    /// The test's threshold (η, ϑ or ν): the test passes with it at T = b.
    fn reference_threshold(&self) -> S;

    /// The threshold that this batch would just pass. Every T is inversely proportional to the square of its
    /// threshold, so this is threshold·√(T/b): for the norm test √(v/(b n)).
    fn threshold(&self, evidence: &Evidence<S>) -> Option<S> {
        let size = self.required(evidence).size()?;
        let threshold = self.reference_threshold() * (size / evidence.batch()).root();
        threshold.is_finite().then_some(threshold)
    }
}

/// A method of each test's own beside the trait's, which depends on a float type that `NormTest::default().needs()` does
/// not tell.
macro_rules! own_needs {
    ($($test:ident),*) => {
        $(impl $test {
            /// The statistics that an engine must compute for it.
            #[must_use]
            pub fn needs(&self) -> Needs {
                BatchTest::<f64>::needs(self)
            }
        })*
    };
}

own_needs!(
    NormTest,
    InnerProductTest,
    OrthogonalityTest,
    AugmentedTest,
    CoordinateNormTest,
    WorkerNormTest,
    AnyTest
);

impl<S: Real> BatchTest<S> for AnyTest {
    fn needs(&self) -> Needs {
        self.as_test::<S>().needs()
    }

    fn required(&self, evidence: &Evidence<S>) -> Required<S> {
        self.as_test().required(evidence)
    }

    fn reference_threshold(&self) -> S {
        self.as_test().reference_threshold()
    }
}

/// numerator/(threshold²·norm²) with the divisions one after the other, so that no square of a tiny number
/// underflows to a division by zero.
fn ratio<S: Real>(variance: S, threshold: S, norm: S) -> S {
    variance / threshold / threshold / norm
}

/// Any of the tests, by name, as settings contain them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(tag = "name", rename_all = "snake_case"))]
pub enum AnyTest {
    /// [`NormTest`].
    Norm(NormTest),
    /// [`InnerProductTest`].
    InnerProduct(InnerProductTest),
    /// [`OrthogonalityTest`].
    Orthogonality(OrthogonalityTest),
    /// [`AugmentedTest`].
    Augmented(AugmentedTest),
    /// [`CoordinateNormTest`].
    CoordinateNorm(CoordinateNormTest),
    /// [`WorkerNormTest`].
    WorkerNorm(WorkerNormTest),
}

crate::settings::named_settings!(AnyTest {
    "norm" => Norm,
    "inner_product" => InnerProduct,
    "orthogonality" => Orthogonality,
    "augmented" => Augmented,
    "coordinate_norm" => CoordinateNorm,
    "worker_norm" => WorkerNorm,
});

impl AnyTest {
    /// This test with the η of another one, where both have an η: it means the same in all of them, so that tests
    /// chosen one after another can be compared.
    ///
    /// ```
    /// use adadagrad_core::batch_test::{AnyTest, NormTest, WorkerNormTest};
    ///
    /// let previous = AnyTest::Norm(NormTest { eta: 0.5, debiased: true });
    /// let chosen = AnyTest::WorkerNorm(WorkerNormTest::default()).with_eta_of(&previous);
    /// assert_eq!(chosen, AnyTest::WorkerNorm(WorkerNormTest { eta: 0.5, ..WorkerNormTest::default() }));
    /// ```
    #[must_use]
    pub fn with_eta_of(self, other: &Self) -> Self {
        let eta = match other {
            Self::Norm(NormTest { eta, .. })
            | Self::CoordinateNorm(CoordinateNormTest { eta, .. })
            | Self::WorkerNorm(WorkerNormTest { eta, .. }) => *eta,
            Self::InnerProduct(_) | Self::Orthogonality(_) | Self::Augmented(_) => return self,
        };
        match self {
            Self::Norm(test) => Self::Norm(NormTest { eta, ..test }),
            Self::CoordinateNorm(test) => Self::CoordinateNorm(CoordinateNormTest { eta, ..test }),
            Self::WorkerNorm(test) => Self::WorkerNorm(WorkerNormTest { eta, ..test }),
            Self::InnerProduct(_) | Self::Orthogonality(_) | Self::Augmented(_) => self,
        }
    }

    /// The test itself.
    #[must_use]
    pub fn as_test<S: Real>(&self) -> &dyn BatchTest<S> {
        match self {
            Self::Norm(test) => test,
            Self::InnerProduct(test) => test,
            Self::Orthogonality(test) => test,
            Self::Augmented(test) => test,
            Self::CoordinateNorm(test) => test,
            Self::WorkerNorm(test) => test,
        }
    }
}

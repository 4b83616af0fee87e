//! Optimizers: one file each. Settings and memory are separate: an optimizer is plain settings, its memory
//! is the caller's slice, and its scalars ([`Shared`]) are part of the run's progress.
//!
//! An update has two halves. [`Optimizer::prepare`] turns everything that is one number for all parameters
//! (step count, bias corrections, AdaGrad-Norm's sum) into [`StepScalars`], once, in the wider type.
//! [`Optimizer::update`] is the formula per element, which every engine implements identically.
//!
//! Decaying memory and parameters become 0 where they would be subnormal, and products that would be subnormal are not
//! computed (see [`crate::subnormal`]), so that steps do not become slower. Values above the smallest normal number are
//! not affected.

mod adagrad;
mod adagrad_norm;
mod adagrad_norm_delayed;
mod adam;
mod adamw;
mod betas;
mod decay_on;
mod line;
mod momentum;
mod nesterov;
mod preconditioner;
mod rmsprop;
mod rows;
mod sgd;

pub use adagrad::AdaGrad;
pub use adagrad_norm::AdaGradNorm;
pub use adagrad_norm_delayed::AdaGradNormDelayed;
pub use adam::Adam;
pub use adamw::AdamW;
pub use betas::Betas;
pub use decay_on::DecayOn;
pub use momentum::Momentum;
pub use nesterov::Nesterov;
pub use preconditioner::Preconditioner;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

use core::ops::Range;

use crate::real::Real;
use crate::statistics::LengthMismatch;

/// An optimizer's state that is one number for all parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Shared<S> {
    /// Steps made.
    pub steps: u64,
    /// AdaGrad-Norm's Σ‖g‖², without b₀² or β. Unused by the others.
    pub sum_norm_sq: S,
    /// Adam's β, where a coupling has changed them; otherwise they are those of the settings.
    pub betas: Option<Betas<S>>,
}

#[cfg(feature = "serde")]
crate::fields::required_settings!(Shared<f64> { steps, sum_norm_sq, betas });

/// The numbers of one step that are the same for all parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepScalars<F> {
    /// Multiplies the direction.
    pub step_size: F,
    /// Multiplies √(second moment) before ε is added: Adam's bias correction, 1 for the others.
    pub root_scale: F,
    /// Multiplies the parameters first: AdamW's decay, 1 for the others.
    pub shrink: F,
    /// Multiplies the gradient before all else: min(1, c/‖ḡ‖) of a run that clips, 1 for the others. Engines apply it, so
    /// that optimizers need not: see [`RunConfig::update`](crate::config::RunConfig::update).
    pub clip: F,
    /// β₁ of this step. 0 for optimizers that have none, as are the following.
    pub beta1: F,
    /// 1 − β₁, rounded once.
    pub new1: F,
    /// β₂ of this step.
    pub beta2: F,
    /// 1 − β₂, rounded once.
    pub new2: F,
}

impl<F: Real> StepScalars<F> {
    /// A plain step.
    pub(crate) fn plain(learning_rate: F::Sum) -> Self {
        let zero = F::zero();
        Self {
            step_size: F::narrow(learning_rate),
            root_scale: F::one(),
            shrink: F::one(),
            clip: F::one(),
            beta1: zero,
            new1: zero,
            beta2: zero,
            new2: zero,
        }
    }

    /// Whether parameters stay finite by them.
    pub(crate) fn is_finite(&self) -> bool {
        [self.step_size, self.root_scale, self.shrink, self.clip].into_iter().all(F::is_finite)
    }
}

/// An optimizer over one flat vector of parameters. Object-safe, so that a program can choose one at run
/// time.
///
/// ```
/// use adadagrad_core::optimizer::{AdaGrad, Optimizer, Shared};
///
/// let adagrad: &dyn Optimizer<f64> = &AdaGrad::default();
/// let (mut parameters, gradient) = ([1.0, 1.0], [0.5, -2.0]);
/// let mut memory = [0.0; 2];
/// adagrad.start(&mut memory);
/// let (shared, scalars) = adagrad.prepare(&Shared::default(), 0.1, 4.25);
/// adagrad.update(&scalars, &mut parameters, &gradient, &mut memory)?;
/// // The first step is the learning rate itself, against the gradient's sign.
/// assert!((parameters[0] - 0.9).abs() < 1e-9 && (parameters[1] - 1.1).abs() < 1e-9);
/// assert_eq!(shared.steps, 1);
/// # Ok::<(), adadagrad_core::statistics::LengthMismatch>(())
/// ```
pub trait Optimizer<F: Real> {
    /// Memory values per parameter: SGD 0, AdaGrad 1, Adam 2. The memory is that many vectors of D values,
    /// one after the other.
    fn slots(&self) -> usize;

    /// Whether slot `slot` holds sums or means of squares, whose root the step takes: no value of it is negative.
    fn holds_squares(&self, slot: usize) -> bool {
        let _ = slot;
        false
    }

    /// Initialises the memory before the first step.
    fn start(&self, memory: &mut [F]) {
        memory.fill(F::zero());
    }

    /// The next step's scalars, from what is shared, the learning rate and ‖ḡ‖². Changes nothing: the caller
    /// keeps the new shared state once the step is complete.
    fn prepare(
        &self,
        shared: &Shared<F::Sum>,
        learning_rate: F::Sum,
        mean_norm_sq: F::Sum,
    ) -> (Shared<F::Sum>, StepScalars<F>) {
        let _ = mean_norm_sq;
        (Shared { steps: shared.steps.saturating_add(1), ..*shared }, StepScalars::plain(learning_rate))
    }

    /// Whether [`Self::prepare`] uses ‖ḡ‖². If not, the scalars are known before the gradient.
    fn wants_norm(&self) -> bool {
        false
    }

    /// β₁ and β₂ of the settings, if it has them: [couplings](crate::coupling) change them.
    fn betas(&self) -> Option<[f64; 2]> {
        None
    }

    /// The divisor of gradients, √v̂ + ε, from its memory before the step: for the [preconditioned noise
    /// scale](crate::noise_scale). `None` if it keeps no squares of gradients.
    fn preconditioner(&self, shared: &Shared<F::Sum>) -> Option<Preconditioner<F::Sum>> {
        let _ = shared;
        None
    }

    /// Applies the step. After one [`Self::prepare`] it may be called tensor by tensor, each with its own memory: no
    /// element depends on another. A scalar or a gradient that is not finite would make parameters that are not:
    /// [`Trainer::weigh`](crate::training::Trainer::weigh) refuses them.
    ///
    /// # Errors
    /// When the gradient does not have as many values as the parameters, or the memory `slots` times as many; then
    /// nothing has changed.
    fn update(
        &self,
        scalars: &StepScalars<F>,
        parameters: &mut [F],
        gradient: &[F],
        memory: &mut [F],
    ) -> Result<(), LengthMismatch> {
        self.update_except(scalars, &mut core::iter::empty(), parameters, gradient, memory)
    }

    /// The same, where some parameters have no weight decay: `exempt` gives their ranges in ascending order, for example
    /// [`Network::exempt`](crate::network::Network::exempt).
    ///
    /// # Errors
    /// As [`Self::update`].
    fn update_except(
        &self,
        scalars: &StepScalars<F>,
        exempt: &mut dyn Iterator<Item = Range<usize>>,
        parameters: &mut [F],
        gradient: &[F],
        memory: &mut [F],
    ) -> Result<(), LengthMismatch>;
}

/// The constants of an update kernel on a device. Kernels compute [`Optimizer::update`]'s formula from these numbers
/// and the step's scalars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kernel {
    /// The kernel's name. Optimizers whose formulas differ in the scalars alone have the same one.
    pub name: &'static str,
    /// Floating-point operations per parameter.
    pub operations: u32,
    /// The decay factor of the memory, if it is a setting (μ or ρ) and not one of the step's scalars (β₁).
    pub decay: Option<f64>,
    /// ε; 0 if there is none.
    pub epsilon: f64,
    /// λ of L2 regularisation.
    pub weight_decay: f64,
}

impl Kernel {
    /// One that takes the step's scalars alone.
    const fn new(name: &'static str, operations: u32) -> Self {
        Self { name, operations, decay: None, epsilon: 0.0, weight_decay: 0.0 }
    }
}

/// The one table of optimizers: a new one is a row here, and a file.
macro_rules! optimizers {
    ($($name:literal => $optimizer:ident),* $(,)?) => {
        /// Any of the optimizers, by name, as settings contain them.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(tag = "name"))]
        pub enum AnyOptimizer {
            $(
                #[doc = concat!("[`", stringify!($optimizer), "`].")]
                #[cfg_attr(feature = "serde", serde(rename = $name))]
                $optimizer($optimizer),
            )*
        }

        crate::settings::named_settings!(AnyOptimizer { $($name => $optimizer,)* });

        impl AnyOptimizer {
            /// The optimizer itself. What does not depend on the float type is best asked of the one that is trained
            /// in: each float type brings the updates of all optimizers into a program.
            #[must_use]
            pub fn as_optimizer<F: Real>(&self) -> &dyn Optimizer<F> {
                match self { $(Self::$optimizer(optimizer) => optimizer,)* }
            }

            /// The update on devices.
            #[must_use]
            pub const fn kernel(&self) -> Kernel {
                match self { $(Self::$optimizer(optimizer) => optimizer.kernel(),)* }
            }
        }
    };
}

optimizers! {
    "sgd" => Sgd,
    "momentum" => Momentum,
    "nesterov" => Nesterov,
    "adagrad" => AdaGrad,
    "adagrad_norm" => AdaGradNorm,
    "adagrad_norm_delayed" => AdaGradNormDelayed,
    "rmsprop" => RmsProp,
    "adam" => Adam,
    "adamw" => AdamW,
}

impl AnyOptimizer {
    /// Whether its memory has sums or means of squares of gradients.
    #[must_use]
    pub fn keeps_squares(&self) -> bool {
        let optimizer = self.as_optimizer::<f32>();
        (0..optimizer.slots()).any(|slot| optimizer.holds_squares(slot))
    }
}

//! The parts of a batch one by one, for a host that adds them up itself and makes the step.
//!
//! What a part leaves depends on the part and the parameters alone: each begins with gradients as they are, whatever scale
//! the one before has needed.

use adadagrad_core::real::square_norm;

use super::{
    Control, DeviceEngine, FOLDED, GpuError, Inner, LossScale, Pace, Pass, Reader, Samples, Totals,
    micro_batches,
};

/// What a part leaves on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct PartSums {
    /// Σ gᵢ.
    pub gradient_sum: Vec<f32>,
    /// Σ (2ᵏ gᵢ)² with k of the totals, where it is asked for.
    pub second_moment: Vec<f32>,
    /// The sums that are plain numbers.
    pub totals: Totals<f64>,
}

/// What a part's projection leaves, as the device left it.
struct Projected {
    inner: Inner<f64>,
    /// The scale to project it with again where a sum is out of range.
    better: Option<LossScale>,
}

impl DeviceEngine {
    /// Writes the parameters alone.
    pub fn write_parameters(&self, parameters: &[f32]) {
        self.gpu.write(&self.buffers.parameters, parameters);
    }

    /// The sums of a part. The engine must have been built for [`Work::by_parts`](super::Work::by_parts).
    ///
    /// # Errors
    /// When it is cancelled between two micro-batches, the device is lost, or it refused something.
    pub async fn part_sums(&mut self, part: &Samples<'_>, control: &Control) -> Result<PartSums, GpuError> {
        let flight = self.submit(part, true, control).await?;
        let found = self.evidence(flight).await?;
        let found = self.in_range(found, part, &[], control).await?;
        let mut gradient_sum = self.gpu.read(&self.buffers.gradient_sum, self.parameters).await?;
        let moments = if self.needs.moments() { self.parameters } else { 0 };
        let second_moment = self.gpu.read(&self.buffers.second_moment, moments).await?;
        if found.scale != LossScale::default() {
            let unscale = found.scale.unscale_value();
            gradient_sum.iter_mut().for_each(|sum| *sum *= unscale);
        }
        let totals = Totals {
            sum_squared_norms: found.totals.sum_squared_norms * found.scale.unscale_squares(),
            moment_exponent: if moments > 0 { found.scale.exponent() } else { 0 },
            ..found.totals
        };
        Ok(PartSums { gradient_sum, second_moment, totals })
    }

    /// The inner products of a part's gradients with ḡ, D values.
    ///
    /// # Errors
    /// When it is cancelled between two micro-batches, the device is lost, or it refused something.
    pub async fn part_inner(
        &mut self,
        part: &Samples<'_>,
        mean_gradient: &[f32],
        control: &Control,
    ) -> Result<Inner<f64>, GpuError> {
        let mut scale = LossScale::default();
        loop {
            let projected = self.project_part(part, mean_gradient, scale, control).await?;
            let Some(better) = projected.better else {
                let unscale = scale.unscale_fourth_powers();
                let Inner { sum_squared_inner_products, sum_norm_inner_products, sum_squared_square_norms } =
                    projected.inner;
                return Ok(Inner {
                    sum_squared_inner_products: sum_squared_inner_products * unscale,
                    sum_norm_inner_products: sum_norm_inner_products * unscale,
                    sum_squared_square_norms: sum_squared_square_norms * unscale,
                });
            };
            scale = better;
        }
    }

    /// Projects a part's gradients times a power of two on ḡ times the same.
    async fn project_part(
        &mut self,
        part: &Samples<'_>,
        mean_gradient: &[f32],
        scale: LossScale,
        control: &Control,
    ) -> Result<Projected, GpuError> {
        self.set_scale(scale);
        let scaled: Vec<f32> = mean_gradient.iter().map(|g| g * scale.factor()).collect();
        self.gpu.write(&self.buffers.gradient_sum, &scaled);
        let gpu = self.gpu.clone();
        let mut pace = Pace { gpu: &gpu, control, before: None };
        let mut commands = gpu.commands();
        let mut place = 0;
        for positions in micro_batches(0..part.cut.samples(), self.capacity) {
            if positions.start > 0 {
                commands = pace.next(commands).await?;
            }
            control.add(positions.len() as u64);
            self.micro_batch(&mut commands, part, positions, Some(Pass::Project), &mut place);
        }
        let staging = commands.copy_back(&self.buffers.sums, place);
        let submission = commands.submit();
        let sums = gpu.map(staging, &submission).values(&gpu).await?;
        let mut reader = Reader { sums: &sums };
        let mut totals = Totals { samples: part.cut.samples(), ..Totals::default() };
        let mut inner = Inner::default();
        for _ in 0..place / FOLDED {
            let [loss, _, norms, squares, mixed, fourth_powers] = reader.folded();
            totals.loss += loss;
            totals.sum_squared_norms += norms;
            inner.merge(&Inner {
                sum_squared_inner_products: squares,
                sum_norm_inner_products: mixed,
                sum_squared_square_norms: fourth_powers,
            });
        }
        let better = self.better_scale(scale, &totals, Some(&inner), square_norm(&scaled));
        Ok(Projected { inner, better })
    }
}

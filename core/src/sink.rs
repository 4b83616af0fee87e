use crate::network::Placed;
use crate::real::{Real, dot_of_equals, square_norm};

/// Where a backward pass sends what it finds. An empty slice is not asked for.
#[derive(Debug, Default)]
pub(crate) struct Sink<'a, F: Real> {
    /// Σ gᵢ, D values.
    pub(crate) gradient_sum: &'a mut [F],
    /// Σ gᵢ², D values.
    pub(crate) second_moment: &'a mut [F],
    /// ḡ to project on, D values; goes with `inner_products`.
    pub(crate) mean_gradient: &'a [F],
    /// sᵢ of each sample of the micro-batch.
    pub(crate) square_norms: &'a mut [F::Sum],
    /// pᵢ of each sample of the micro-batch.
    pub(crate) inner_products: &'a mut [F::Sum],
}

impl<F: Real> Sink<'_, F> {
    /// The part that belongs to one layer's parameters.
    pub(crate) fn of_layer(&mut self, place: &Placed) -> Sink<'_, F> {
        let range = place.parameters();
        Sink {
            gradient_sum: self.gradient_sum.get_mut(range.clone()).unwrap_or_default(),
            second_moment: self.second_moment.get_mut(range.clone()).unwrap_or_default(),
            mean_gradient: self.mean_gradient.get(range).unwrap_or_default(),
            square_norms: self.square_norms,
            inner_products: self.inner_products,
        }
    }

    /// Whether nothing is asked for but the sum over samples.
    pub(crate) fn only_sum(&self) -> bool {
        self.second_moment.is_empty() && self.square_norms.is_empty() && self.inner_products.is_empty()
    }

    /// Adds one sample's gradient of the layer's parameters: Σ gᵢ, Σ gᵢ², and its share of sᵢ = ‖gᵢ‖² and pᵢ = ⟨gᵢ, ḡ⟩.
    pub(crate) fn add(&mut self, sample: usize, gradient: &[F]) {
        for (sum, &g) in self.gradient_sum.iter_mut().zip(gradient) {
            *sum += g;
        }
        for (sum, &g) in self.second_moment.iter_mut().zip(gradient) {
            *sum += g * g;
        }
        if let Some(norm) = self.square_norms.get_mut(sample) {
            *norm += square_norm(gradient);
        }
        if let Some(inner_product) = self.inner_products.get_mut(sample) {
            *inner_product += dot_of_equals(gradient, self.mean_gradient);
        }
    }
}

use crate::real::Real;

/// Sums over the inner products pᵢ = ⟨gᵢ, ḡ⟩ of a batch, gathered in a second sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Inner<S> {
    /// P₂ = Σ pᵢ².
    pub sum_squared_inner_products: S,
    /// Σ sᵢ pᵢ.
    pub sum_norm_inner_products: S,
    /// Σ sᵢ².
    pub sum_squared_square_norms: S,
}

impl<S: Real> Inner<S> {
    /// Adds one sample by its sᵢ and pᵢ.
    pub fn add(&mut self, square_norm: S, inner_product: S) {
        self.sum_squared_inner_products += inner_product.squared();
        self.sum_norm_inner_products += square_norm * inner_product;
        self.sum_squared_square_norms += square_norm.squared();
    }

    /// Adds the sums of another part of the same batch (taken with the same ḡ).
    pub fn merge(&mut self, part: &Self) {
        self.sum_squared_inner_products += part.sum_squared_inner_products;
        self.sum_norm_inner_products += part.sum_norm_inner_products;
        self.sum_squared_square_norms += part.sum_squared_square_norms;
    }
}

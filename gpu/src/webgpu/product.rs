//! A product of matrices with what is compiled into its kernel.

use super::cost::{Cost, Costed};
use super::uniforms::{Product, Uniform};

/// C = A B, and what becomes of the sums.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct FusedProduct {
    /// What the shader reads: sizes and strides.
    pub(super) block: Product,
    /// Whether A and B are squared value by value.
    pub(super) is_squared: bool,
    /// Whether a bias is added, one value a column.
    pub(super) has_bias: bool,
    /// Whether the sums are added to C.
    pub(super) adds: bool,
    /// Whether what is below 0 becomes 0.
    pub(super) relu: bool,
}

impl FusedProduct {
    /// The `override` constants of `matrix.wgsl`.
    pub(super) fn constants(&self) -> [(&'static str, u32); 4] {
        let &Self { is_squared, has_bias, adds, relu, .. } = self;
        [("SQUARED", is_squared), ("BIAS", has_bias), ("ADD", adds), ("RELU", relu)]
            .map(|(name, value)| (name, value.into()))
    }
}

impl Uniform for FusedProduct {
    const FIELDS: &'static [&'static str] = Product::FIELDS;

    fn bytes(&self) -> Vec<u8> {
        self.block.bytes()
    }
}

impl Costed for FusedProduct {
    fn cost(&self, _: &str) -> Cost {
        let Product { rows, columns, inner, .. } = self.block;
        let [rows, columns, inner] = [rows, columns, inner].map(u64::from);
        let bias = if self.has_bias { columns } else { 0 };
        let added = if self.adds { rows * columns } else { 0 };
        let operations = 2 * rows * columns * inner;
        Cost::new(operations, rows * inner + inner * columns + rows * columns + added + bias)
    }
}

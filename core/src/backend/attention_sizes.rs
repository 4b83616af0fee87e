/// Sizes of causal self-attention over one sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttentionSizes {
    pub(crate) heads: usize,
    /// d, of each head.
    pub(crate) channels: usize,
    /// T.
    pub(crate) positions: usize,
}

#[cfg_attr(not(feature = "std"), allow(dead_code, reason = "kernels come with `std`"))]
impl AttentionSizes {
    /// Values of one head's query, key or value.
    pub(crate) const fn head(self) -> usize {
        self.channels * self.positions
    }

    /// Values of all heads' queries, keys or values.
    pub(crate) const fn width(self) -> usize {
        self.heads * self.head()
    }

    /// Query, key and value of the `index`-th head of one sample's input.
    pub(crate) fn projections<F>(self, x: &[F], index: usize) -> [&[F]; 3] {
        [0, 1, 2].map(|k| &x[k * self.width() + index * self.head()..][..self.head()])
    }
}

#[cfg(feature = "std")]
impl AttentionSizes {
    /// 1/√d.
    pub(crate) fn scale(self) -> f32 {
        1.0 / (self.channels as f32).sqrt()
    }
}

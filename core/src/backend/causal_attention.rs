//! Causal self-attention in `f32`, head after head, in panels of positions t: of the T×T scores no panel holds more than the
//! positions u up to its last t, so that nearly half of the products are never formed.
//!
//! ```text
//! s[u][t]   = Σ_c k[c][u] q[c][t]/√d     a = softmax over u ≤ t     y[c][t]  = Σ_u v[c][u] a[u][t]
//! da[u][t]  = Σ_c v[c][u] e[c][t]        ds = a (da − Σ_u a da)/√d  dq[c][t] += Σ_u k[c][u] ds[u][t]
//! dk[c][u] += Σ_t q[c][t] ds[u][t]                                  dv[c][u] += Σ_t e[c][t] a[u][t]
//! ```
//!
//! A panel's scores lie by u, so that the softmax is computed for all of its t side by side.

use pulp::{Simd, WithSimd};

use super::AttentionSizes;
use super::cache_line::{CACHE_LINE, Pieces};
use super::dispatch::Call;
use super::exponential::exponential;
use super::kernels::{ForwardOf, InputGradientOf};
use super::panels::{self, MOST_PLACES, Rows, add_row, copy_panel, places, update_row};
use super::transpose::{SQUARES, transpose};

/// Two T×T, six d×T, and four panels.
pub(super) fn scratch_len(sizes: AttentionSizes) -> usize {
    let AttentionSizes { channels, positions, .. } = sizes;
    let square = positions.saturating_mul(positions).saturating_mul(2);
    let heads = sizes.head().saturating_mul(6);
    let panels = channels.max(positions).saturating_mul(4 * MOST_PLACES);
    square.saturating_add(heads).saturating_add(panels).saturating_add(SQUARES + 16 * CACHE_LINE)
}

impl WithSimd for Call<'_, AttentionSizes, ForwardOf<'_, f32>> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes, of: ForwardOf { x, y, .. }, scratch } = self;
        let AttentionSizes { channels, positions, .. } = sizes;
        let mut pieces = Pieces::of(scratch);
        let key_transposed = pieces.take(sizes.head());
        let panel = pieces.take(channels * places::<S>());
        let weights = pieces.take(positions * places::<S>());
        let square = pieces.take(SQUARES);
        let samples = x.chunks_exact(3 * sizes.width()).zip(y.chunks_exact_mut(sizes.width()));
        for (x, y) in samples {
            for (index, y) in y.chunks_exact_mut(sizes.head()).enumerate() {
                let [query, key, value] = sizes.projections(x, index);
                transpose::<8>(key, positions, key_transposed, channels, square);
                for first in (0..positions).step_by(places::<S>()) {
                    let end = positions.min(first + places::<S>());
                    copy_panel(simd, query, positions, first, panel);
                    let weights = &mut weights[..end * places::<S>()];
                    product_of_rows(simd, sizes, key_transposed, panel, weights);
                    attend::<S>(sizes, first, weights);
                    let values = Rows { values: value, count: channels, stride: positions, len: end };
                    panels::multiply(
                        simd,
                        values,
                        weights,
                        #[inline(always)]
                        |_| 0.0,
                        #[inline(always)]
                        |channel, rows| {
                            let y = y[channel * positions..].chunks_exact_mut(positions);
                            for (y, row) in y.zip(rows) {
                                update_row(
                                    simd,
                                    row,
                                    &mut y[first..end],
                                    #[inline(always)]
                                    |_, new| new,
                                );
                            }
                        },
                    );
                }
            }
        }
    }
}

impl WithSimd for Call<'_, AttentionSizes, InputGradientOf<'_, f32>> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes, of: InputGradientOf { x, dy, dx }, scratch } = self;
        let mut pieces = Pieces::of(scratch);
        let mut memory = Memory {
            square: pieces.take(SQUARES),
            transposed: [(); 4].map(|()| pieces.take(sizes.head())),
            panel: pieces.take(sizes.channels.max(sizes.positions) * places::<S>()),
            weights: pieces.take(sizes.positions * places::<S>()),
            gradient: pieces.take(sizes.positions * places::<S>()),
            whole: [(); 2].map(|()| pieces.take(sizes.positions * sizes.positions)),
            sums: [(); 2].map(|()| pieces.take(sizes.head())),
        };
        let samples = x.chunks_exact(3 * sizes.width()).zip(dy.chunks_exact(sizes.width()));
        for ((x, dy), dx) in samples.zip(dx.chunks_exact_mut(3 * sizes.width())) {
            for (index, dy) in dy.chunks_exact(sizes.head()).enumerate() {
                let (d_query, rest) = dx.split_at_mut(sizes.width());
                let (d_key, d_value) = rest.split_at_mut(sizes.width());
                let of_head = index * sizes.head()..(index + 1) * sizes.head();
                let gradients = [d_query, d_key, d_value].map(|third| &mut third[of_head.clone()]);
                head_gradient(simd, sizes, sizes.projections(x, index), dy, gradients, &mut memory);
            }
        }
    }
}

/// Scratch memory of a head's gradient.
struct Memory<'a> {
    square: &'a mut [f32],
    /// Query, key, value and e, by positions.
    transposed: [&'a mut [f32]; 4],
    panel: &'a mut [f32],
    /// a and da, then ds, of a panel.
    weights: &'a mut [f32],
    gradient: &'a mut [f32],
    /// The same of all panels, \[u\]\[t\]; what lies before a panel's first u is not written.
    whole: [&'a mut [f32]; 2],
    sums: [&'a mut [f32]; 2],
}

#[inline(always)]
fn head_gradient<S: Simd>(
    simd: S,
    sizes: AttentionSizes,
    [query, key, value]: [&[f32]; 3],
    dy: &[f32],
    [d_query, d_key, d_value]: [&mut [f32]; 3],
    memory: &mut Memory<'_>,
) {
    let AttentionSizes { channels, positions, .. } = sizes;
    let Memory { square, transposed, panel, weights, gradient, whole, sums } = memory;
    for (values, transposed) in [query, key, value, dy].into_iter().zip(transposed.iter_mut()) {
        transpose::<8>(values, positions, transposed, channels, square);
    }
    let [query_transposed, key_transposed, value_transposed, dy_transposed] = transposed;
    for first in (0..positions).step_by(places::<S>()) {
        let end = positions.min(first + places::<S>());
        let weights = &mut weights[..end * places::<S>()];
        let gradient = &mut gradient[..end * places::<S>()];
        let of_channels = &mut panel[..channels * places::<S>()];
        copy_panel(simd, query, positions, first, of_channels);
        product_of_rows(simd, sizes, key_transposed, of_channels, weights);
        attend::<S>(sizes, first, weights);
        copy_panel(simd, dy, positions, first, of_channels);
        product_of_rows(simd, sizes, value_transposed, of_channels, gradient);
        score_gradients::<S>(sizes, weights, gradient);
        let keys = Rows { values: key, count: channels, stride: positions, len: end };
        panels::multiply(
            simd,
            keys,
            gradient,
            #[inline(always)]
            |_| 0.0,
            #[inline(always)]
            |channel, rows| {
                let d_query = d_query[channel * positions..].chunks_exact_mut(positions);
                for (d_query, row) in d_query.zip(rows) {
                    add_row(simd, row, &mut d_query[first..end]);
                }
            },
        );
        for (of_panel, whole) in [weights, gradient].into_iter().zip(whole.iter_mut()) {
            let rows = of_panel.chunks_exact(places::<S>()).zip(whole.chunks_exact_mut(positions));
            for (from, to) in rows {
                to[first..end].copy_from_slice(&from[..end - first]);
            }
        }
    }
    let [of_values, of_keys] = [(&*whole[0], &**dy_transposed), (&*whole[1], &**query_transposed)];
    for ((whole, factor), (sums, to)) in
        [of_values, of_keys].into_iter().zip(sums.iter_mut().zip([d_value, d_key]))
    {
        for channel in (0..channels).step_by(places::<S>()) {
            let end = channels.min(channel + places::<S>());
            let panel = &mut panel[..positions * places::<S>()];
            copy_panel(simd, factor, channels, channel, panel);
            for first in (0..positions).step_by(places::<S>()) {
                let count = places::<S>().min(positions - first);
                let values = &whole[first * positions + first..];
                let rows = Rows { values, count, stride: positions, len: positions - first };
                let panel = &panel[first * places::<S>()..];
                panels::multiply(
                    simd,
                    rows,
                    panel,
                    #[inline(always)]
                    |_| 0.0,
                    #[inline(always)]
                    |row, rows| {
                        let sums = sums[(first + row) * channels..].chunks_exact_mut(channels);
                        for (sums, row) in sums.zip(rows) {
                            update_row(
                                simd,
                                row,
                                &mut sums[channel..end],
                                #[inline(always)]
                                |_, new| new,
                            );
                        }
                    },
                );
            }
        }
        let turned = &mut **key_transposed;
        transpose::<8>(sums, channels, turned, positions, square);
        for (to, &turned) in to.iter_mut().zip(&*turned) {
            *to += turned;
        }
    }
}

/// A panel of products of all positions' vectors, a row each, with a panel of vectors, as far as there is room for rows.
#[inline(always)]
fn product_of_rows<S: Simd>(
    simd: S,
    sizes: AttentionSizes,
    values: &[f32],
    panel: &[f32],
    products: &mut [f32],
) {
    let channels = sizes.channels;
    let rows = Rows { values, count: products.len() / places::<S>(), stride: channels, len: channels };
    panels::multiply(
        simd,
        rows,
        panel,
        #[inline(always)]
        |_| 0.0,
        #[inline(always)]
        |first, rows| {
            let products = products[first * places::<S>()..].chunks_exact_mut(places::<S>());
            for (products, row) in products.zip(rows) {
                update_row(
                    simd,
                    row,
                    products,
                    #[inline(always)]
                    |_, new| new,
                );
            }
        },
    );
}

/// The softmax of a panel's products q·k, whose first position is `first`, in their place.
#[inline(always)]
fn attend<S: Simd>(sizes: AttentionSizes, first: usize, panel: &mut [f32]) {
    match places::<S>() {
        8 => softmax::<8>(sizes.scale(), first, panel),
        16 => softmax::<16>(sizes.scale(), first, panel),
        _ => softmax::<MOST_PLACES>(sizes.scale(), first, panel),
    }
}

// Where vectors are not found at run time, one copy for all callers will do.
#[cfg_attr(target_family = "wasm", inline(never))]
#[cfg_attr(not(target_family = "wasm"), inline(always))]
fn softmax<const N: usize>(scale: f32, first: usize, panel: &mut [f32]) {
    let (rows, _) = panel.as_chunks_mut::<N>();
    for (hidden, row) in rows[first..].iter_mut().enumerate() {
        // What comes after a position.
        row[..hidden].fill(f32::NEG_INFINITY);
    }
    let mut tops = [f32::NEG_INFINITY; N];
    for row in &mut *rows {
        for (value, top) in row.iter_mut().zip(&mut tops) {
            *value *= scale;
            *top = if *value > *top { *value } else { *top };
        }
    }
    let mut sums = [0.0; N];
    for row in &mut *rows {
        for ((value, &top), sum) in row.iter_mut().zip(&tops).zip(&mut sums) {
            *value = exponential(*value - top);
            *sum += *value;
        }
    }
    let inverses = sums.map(|sum| 1.0 / sum);
    for row in rows {
        for (value, &inverse) in row.iter_mut().zip(&inverses) {
            let share = *value * inverse;
            // The tail is 0 before it is subnormal, so that the whole backward pass need not be slow for it.
            *value = if share < f32::MIN_POSITIVE { 0.0 } else { share };
        }
    }
}

/// ds in place of da.
#[inline(always)]
fn score_gradients<S: Simd>(sizes: AttentionSizes, weights: &[f32], gradient: &mut [f32]) {
    match places::<S>() {
        8 => score_gradients_of::<8>(sizes.scale(), weights, gradient),
        16 => score_gradients_of::<16>(sizes.scale(), weights, gradient),
        _ => score_gradients_of::<MOST_PLACES>(sizes.scale(), weights, gradient),
    }
}

#[cfg_attr(target_family = "wasm", inline(never))]
#[cfg_attr(not(target_family = "wasm"), inline(always))]
fn score_gradients_of<const N: usize>(scale: f32, weights: &[f32], gradient: &mut [f32]) {
    let (weights, gradient) = (weights.as_chunks::<N>().0, gradient.as_chunks_mut::<N>().0);
    let mut sums = [0.0; N];
    for (weights, gradient) in weights.iter().zip(&*gradient) {
        for ((sum, &a), &da) in sums.iter_mut().zip(weights).zip(gradient) {
            *sum += a * da;
        }
    }
    for (weights, gradient) in weights.iter().zip(gradient) {
        for ((gradient, &a), &sum) in gradient.iter_mut().zip(weights).zip(&sums) {
            *gradient = a * (*gradient - sum) * scale;
        }
    }
}

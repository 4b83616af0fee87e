//! Matrix products in `f32` whose right factor lies in panels: [`Panel`] places side by side, row after row, so that a
//! panel is read from the first cache however long a row of the whole matrix is.
//!
//! ```text
//! c[i][j] = Σ_k a[i][k] · panel[k][j]      6 rows × 2 vectors of a panel in registers (8 × 2 of the longest vectors)
//! ```
//!
//! A row of a lies by k. Each k costs as many loads as rows and vectors, and their product in multiply-adds.

use pulp::Simd;

/// Vectors side by side in a panel.
pub(super) const VECTORS: usize = 2;
/// Most values side by side in a panel.
pub(super) const MOST_PLACES: usize = VECTORS * super::cache_line::CACHE_LINE;

/// Values side by side in a panel.
pub(super) const fn places<S: Simd>() -> usize {
    VECTORS * S::F32_LANES
}

/// A row of a product with a panel.
pub(super) type Row<S> = [<S as Simd>::f32s; VECTORS];

/// The left factor: rows of `len` values, the first of which begin `stride` values apart.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) values: &'a [f32],
    pub(super) count: usize,
    pub(super) stride: usize,
    pub(super) len: usize,
}

/// Copies places from `first` on of rows of `len` values into a panel, with zeros beyond their ends.
#[inline(always)]
pub(super) fn copy_panel<S: Simd>(_: S, rows: &[f32], len: usize, first: usize, panel: &mut [f32]) {
    let count = places::<S>().min(len - first);
    for (row, panel) in rows.chunks_exact(len).zip(panel.chunks_exact_mut(places::<S>())) {
        if count == places::<S>() {
            panel.copy_from_slice(&row[first..first + places::<S>()]);
        } else {
            panel[..count].copy_from_slice(&row[first..first + count]);
            panel[count..].fill(0.0);
        }
    }
}

/// The product with a panel of as many rows as a row of the left factor is long, block by block of rows: `finish` is given
/// the first row's index and some rows. What the sums of row i begin with is `first(i)`.
#[inline(always)]
pub(super) fn multiply<S: Simd>(
    simd: S,
    rows: Rows<'_>,
    panel: &[f32],
    first: impl Fn(usize) -> f32,
    mut finish: impl FnMut(usize, &[Row<S>]),
) {
    let panel = S::as_simd_f32s(panel).0.as_chunks::<VECTORS>().0;
    let mut row = 0;
    while row < rows.count {
        let left = rows.count - row;
        // What fits the registers; and six and two rows take longer than four and four.
        row += match S::F32_LANES {
            16 if left > 4 => block::<S, 8>(simd, rows, row, panel, &first, &mut finish),
            8 if left > 4 && left != 7 && left != 8 => {
                block::<S, 6>(simd, rows, row, panel, &first, &mut finish)
            }
            _ if left > 2 => block::<S, 4>(simd, rows, row, panel, &first, &mut finish),
            _ => block::<S, 2>(simd, rows, row, panel, &first, &mut finish),
        };
    }
}

#[inline(always)]
fn block<S: Simd, const ROWS: usize>(
    simd: S,
    rows: Rows<'_>,
    row: usize,
    panel: &[Row<S>],
    first: &impl Fn(usize) -> f32,
    finish: &mut impl FnMut(usize, &[Row<S>]),
) -> usize {
    let count = ROWS.min(rows.count - row);
    // The last row stands for rows that are not there.
    let index = |i: usize| (row + i).min(rows.count - 1);
    let begin = core::array::from_fn(|i| first(index(i)));
    let factors = core::array::from_fn(|i| &rows.values[index(i) * rows.stride..][..rows.len]);
    let sums = tile::<S, ROWS>(simd, begin, factors, panel);
    finish(row, &sums[..count]);
    count
}

/// First values + Σₖ factors · panel, from the first k to the last.
// Where vectors are not found at run time, one copy for all callers will do.
#[cfg_attr(target_family = "wasm", inline(never))]
#[cfg_attr(not(target_family = "wasm"), inline(always))]
fn tile<S: Simd, const ROWS: usize>(
    simd: S,
    first: [f32; ROWS],
    factors: [&[f32]; ROWS],
    panel: &[Row<S>],
) -> [Row<S>; ROWS] {
    let len = panel.len();
    let factors = factors.map(|factors| &factors[..len]);
    let mut sums = first.map(|first| [simd.splat_f32s(first); VECTORS]);
    for k in 0..len {
        let values = &panel[k];
        for (sums, factors) in sums.iter_mut().zip(&factors) {
            let factor = simd.splat_f32s(factors[k]);
            for (sum, &value) in sums.iter_mut().zip(values) {
                *sum = simd.mul_add_e_f32s(factor, value, *sum);
            }
        }
    }
    sums
}

/// Adds up to [`VECTORS`] vectors to values.
#[inline(always)]
pub(super) fn add_row<S: Simd>(simd: S, row: &Row<S>, to: &mut [f32]) {
    update_row(
        simd,
        row,
        to,
        #[inline(always)]
        |old, new| simd.add_f32s(old, new),
    );
}

/// Writes `new(old value, of the row)` for each of up to [`VECTORS`] vectors.
#[inline(always)]
pub(super) fn update_row<S: Simd>(
    simd: S,
    row: &Row<S>,
    to: &mut [f32],
    new: impl Fn(S::f32s, S::f32s) -> S::f32s,
) {
    let (to, rest) = S::as_mut_simd_f32s(to);
    let whole = to.len();
    for (to, &value) in to.iter_mut().zip(row) {
        *to = new(*to, value);
    }
    if let Some(&value) = row.get(whole)
        && !rest.is_empty()
    {
        let value = new(simd.partial_load_f32s(rest), value);
        simd.partial_store_f32s(rest, value);
    }
}

//! Dense layers in `f32` on inputs that are mostly zeros, as the pixels of a digit are (four of five): nothing is
//! multiplied but what is not zero, on the vectors of the machine at hand by `pulp`.
//!
//! *Forward*, sample by sample: y = b + Σⱼ xⱼ · (column j of W), the sums in registers. W is transposed first, so
//! that a column is a handful of vectors. *Backward*, column by column: column j of Σᵢ eᵢ xᵢᵀ is Σᵢ xᵢⱼ · eᵢ over
//! the samples with xᵢⱼ ≠ 0, again in registers, with all eᵢ of a tile of samples in the nearest cache.

use num_traits::One;
use pulp::{Arch, Simd, WithSimd};

use super::dense::Dense;
use super::kernels::DenseKernels;
use super::sweep::Sinks;
use crate::real::square_norm;

/// The longest vector that scratch memory is planned for.
const MOST_LANES: usize = 16;
/// Samples whose output gradients stay in the nearest cache.
const TILE: usize = 64;
/// Values that are looked at together: where all are zeros, none is listed.
const CHUNK: usize = 16;
/// Entries that are listed at a time.
const LISTED: usize = 256;
/// Vectors that are summed in registers at a time.
const SUMMED: usize = 8;
/// Columns of the gradient that are formed before they are added to rows.
const COLUMNS: usize = 16;
/// Rows and columns that are transposed at a time.
const BLOCK: usize = 8;

/// The kernels.
pub(super) const KERNELS: DenseKernels<f32> = DenseKernels { scratch_len, forward, accumulate };

/// A value that is not zero, behind its place: the bits of a whole number.
type Entry = [f32; 2];

fn entry(place: usize, value: f32) -> Entry {
    #[allow(clippy::cast_possible_truncation, reason = "a place in a sample, or in a tile of samples")]
    [f32::from_bits(place as u32), value]
}

fn place([place, _]: Entry) -> usize {
    place.to_bits() as usize
}

fn scratch_len(dense: Dense) -> usize {
    let row = dense.outputs.next_multiple_of(MOST_LANES);
    let forward = (dense.inputs + 1) * row;
    let backward = dense.inputs * (2 * TILE + 1) + (TILE + COLUMNS) * row;
    forward.max(backward)
}

fn forward(dense: Dense, parameters: &[f32], x: &[f32], y: &mut [f32], scratch: &mut [f32]) {
    Arch::new().dispatch(Forward { dense, parameters, x, y, scratch });
}

struct Forward<'a> {
    dense: Dense,
    parameters: &'a [f32],
    x: &'a [f32],
    y: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { dense: Dense { inputs, outputs, .. }, parameters, x, y, scratch } = self;
        let len = outputs.next_multiple_of(S::F32_LANES);
        let (weights, bias) = parameters.split_at(outputs * inputs);
        let (columns, row) = scratch.split_at_mut(inputs * len);
        let row = &mut row[..len];
        row.fill(0.0);
        columns.fill(0.0);
        each_transposed(weights, inputs, columns, len, |column, weight| *column = weight);
        let mut list = [[0.0; 2]; LISTED];
        for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(outputs)) {
            row[..outputs].copy_from_slice(bias);
            let mut unlisted = Unlisted::all(x);
            while !unlisted.values.is_empty() {
                add_rows(simd, unlisted.list(&mut list), columns, row);
            }
            y.copy_from_slice(&row[..outputs]);
        }
    }
}

fn accumulate(dense: Dense, x: &[f32], e: &[f32], sinks: &mut Sinks<'_, f32>, scratch: &mut [f32]) {
    Arch::new().dispatch(Accumulate { dense, x, e, sinks, scratch });
}

struct Accumulate<'a, 's> {
    dense: Dense,
    x: &'a [f32],
    e: &'a [f32],
    sinks: &'a mut Sinks<'s, f32>,
    scratch: &'a mut [f32],
}

impl WithSimd for Accumulate<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { dense: Dense { inputs, outputs, .. }, x, e, sinks, scratch } = self;
        let tiles = x.chunks(TILE * inputs).zip(e.chunks(TILE * outputs));
        for (tile, (x, e)) in tiles.enumerate() {
            let mut tile = Tile::new::<S>(inputs, outputs, tile * TILE, scratch);
            for (i, (x, e)) in x.chunks_exact(inputs).zip(e.chunks_exact(outputs)).enumerate() {
                tile.add(i, x, e, sinks);
            }
            if !sinks.gradient_sum.is_empty() {
                tile.add_gradient(simd, sinks.gradient_sum, |entry| entry);
                tile.add_bias(sinks.gradient_sum);
            }
            if !sinks.second_moment.is_empty() {
                tile.errors.iter_mut().for_each(|e| *e *= *e);
                tile.add_gradient(simd, sinks.second_moment, |[place, value]| [place, value * value]);
                tile.add_bias(sinks.second_moment);
            }
        }
    }
}

/// A tile of samples, read by columns.
struct Tile<'a> {
    inputs: usize,
    outputs: usize,
    /// Values of a padded row.
    len: usize,
    /// Its first sample within the micro-batch.
    first: usize,
    samples: usize,
    /// How many entries each column has: the bits of a whole number.
    counts: &'a mut [f32],
    /// The entries of each column, [`TILE`] places for each.
    entries: &'a mut [Entry],
    /// The samples' output gradients in padded rows.
    errors: &'a mut [f32],
    /// Columns of the gradient.
    columns: &'a mut [f32],
    list: [Entry; LISTED],
}

impl<'a> Tile<'a> {
    fn new<S: Simd>(inputs: usize, outputs: usize, first: usize, scratch: &'a mut [f32]) -> Self {
        let len = outputs.next_multiple_of(S::F32_LANES);
        let (counts, rest) = scratch.split_at_mut(inputs);
        let (entries, rest) = rest.split_at_mut(2 * TILE * inputs);
        let (errors, rest) = rest.split_at_mut(TILE * len);
        let (columns, _) = rest.split_at_mut(COLUMNS * len);
        counts.fill(0.0);
        errors.fill(0.0);
        let (entries, _) = entries.as_chunks_mut();
        Self {
            inputs,
            outputs,
            len,
            first,
            samples: 0,
            counts,
            entries,
            errors,
            columns,
            list: [[0.0; 2]; LISTED],
        }
    }

    /// Lists a sample's values by columns, keeps its output gradient, and sinks its square norm.
    #[inline(always)]
    fn add(&mut self, i: usize, x: &[f32], e: &[f32], sinks: &mut Sinks<'_, f32>) {
        self.samples = i + 1;
        self.errors[i * self.len..][..self.outputs].copy_from_slice(e);
        let mut squares = [0.0; CHUNK / 2];
        let mut unlisted = Unlisted::all(x);
        while !unlisted.values.is_empty() {
            let listed = unlisted.list(&mut self.list);
            let by_columns = if sinks.sums_gradients() { listed } else { &[] };
            for &[column, value] in by_columns {
                let column = column.to_bits() as usize;
                let count = self.counts[column].to_bits();
                self.entries[column * TILE + count as usize] = entry(i, value);
                self.counts[column] = f32::from_bits(count + 1);
            }
            add_squares(listed, &mut squares);
        }
        if let Some(norm) = sinks.square_norms.get_mut(self.first + i) {
            *norm += square_norm(e) * (squares.iter().sum::<f64>() + f64::one());
        }
    }

    /// weights \[outputs, inputs\] += Σᵢ eᵢ xᵢᵀ, with each xᵢⱼ changed by `change` first, once and for all.
    #[inline(always)]
    fn add_gradient<S: Simd>(&mut self, simd: S, parameters: &mut [f32], change: impl Fn(Entry) -> Entry) {
        let Self { inputs, outputs, len, counts, entries, errors, columns, .. } = self;
        let weights = &mut parameters[..*inputs * *outputs];
        for first in (0..*inputs).step_by(COLUMNS) {
            let width = COLUMNS.min(*inputs - first);
            let counts = &counts[first..first + width];
            if counts.iter().all(|count| count.to_bits() == 0) {
                continue;
            }
            columns.fill(0.0);
            for (k, (count, column)) in counts.iter().zip(columns.chunks_exact_mut(*len)).enumerate() {
                let entries = &mut entries[(first + k) * TILE..][..count.to_bits() as usize];
                entries.iter_mut().for_each(|entry| *entry = change(*entry));
                add_rows(simd, entries, errors, column);
            }
            let columns = &columns[..width * *len];
            each_transposed(columns, *len, &mut weights[first..], *inputs, |sum, value| *sum += value);
        }
    }

    /// bias += Σᵢ eᵢ.
    #[inline(always)]
    fn add_bias(&self, parameters: &mut [f32]) {
        let bias = &mut parameters[self.inputs * self.outputs..];
        for row in self.errors.chunks_exact(self.len).take(self.samples) {
            for (sum, &e) in bias.iter_mut().zip(row) {
                *sum += e;
            }
        }
    }
}

/// Values of a sample, of which those that are not zero (a NaN is not) are still to be listed.
struct Unlisted<'x> {
    values: &'x [f32],
    /// Where they begin in the sample.
    start: usize,
}

impl<'x> Unlisted<'x> {
    const fn all(values: &'x [f32]) -> Self {
        Self { values, start: 0 }
    }

    /// Lists the first of them.
    #[inline(always)]
    fn list<'l>(&mut self, list: &'l mut [Entry; LISTED]) -> &'l [Entry] {
        let mut count = 0;
        while count <= LISTED - CHUNK && !self.values.is_empty() {
            let (chunk, rest) = self.values.split_at(CHUNK.min(self.values.len()));
            if chunk.iter().fold(0, |bits, value| bits | value.to_bits()) != 0 {
                for (k, &value) in chunk.iter().enumerate() {
                    list[count] = entry(self.start + k, value);
                    count += usize::from(value != 0.0);
                }
            }
            self.values = rest;
            self.start += CHUNK;
        }
        &list[..count]
    }
}

/// Adds the squares of listed values, in several sums so that they need not wait for each other.
#[inline(always)]
fn add_squares<const N: usize>(listed: &[Entry], squares: &mut [f64; N]) {
    for entries in listed.chunks(N) {
        for (sum, &[_, value]) in squares.iter_mut().zip(entries) {
            *sum += f64::from(value) * f64::from(value);
        }
    }
}

/// row += Σ value · (row `place` of a matrix of rows as long).
#[inline(always)]
fn add_rows<S: Simd>(simd: S, entries: &[Entry], rows: &[f32], row: &mut [f32]) {
    let ((rows, _), (row, _)) = (S::as_simd_f32s(rows), S::as_mut_simd_f32s(row));
    let len = row.len();
    let mut first = 0;
    while first < len {
        let (rows, row) = (&rows[first..], &mut row[first..]);
        first += match row.len() {
            SUMMED.. => add_vectors::<S, SUMMED>(simd, entries, rows, len, row),
            4.. => add_vectors::<S, 4>(simd, entries, rows, len, row),
            3 => add_vectors::<S, 3>(simd, entries, rows, len, row),
            2 => add_vectors::<S, 2>(simd, entries, rows, len, row),
            _ => add_vectors::<S, 1>(simd, entries, rows, len, row),
        };
    }
}

/// The first N vectors of the row; gives N.
#[inline(always)]
fn add_vectors<S: Simd, const N: usize>(
    simd: S,
    entries: &[Entry],
    rows: &[S::f32s],
    len: usize,
    row: &mut [S::f32s],
) -> usize {
    let Some(sums) = row.first_chunk_mut::<N>() else { return N };
    let mut local = *sums;
    for &entry in entries {
        let Some(vectors) = rows[place(entry) * len..].first_chunk::<N>() else { return N };
        let value = simd.splat_f32s(entry[1]);
        for (sum, &vector) in local.iter_mut().zip(vectors) {
            *sum = simd.mul_add_e_f32s(value, vector, *sum);
        }
    }
    *sums = local;
    N
}

/// Calls `put` with element (j, i) of a row-major matrix whose rows are `to_len` long, and element (i, j) of
/// one whose rows are `from_len` long, for all that both have.
#[inline(always)]
fn each_transposed(
    from: &[f32],
    from_len: usize,
    to: &mut [f32],
    to_len: usize,
    put: impl Fn(&mut f32, f32) + Copy,
) {
    let rows = from.len() / from_len;
    for i in (0..rows).step_by(BLOCK) {
        for j in (0..from_len).step_by(BLOCK) {
            let (height, width) = (BLOCK.min(rows - i), BLOCK.min(from_len - j));
            let from = &from[i * from_len + j..];
            let Some(to) = to.get_mut(j * to_len + i..) else { continue };
            if height == BLOCK && width == BLOCK && to.len() >= (BLOCK - 1) * to_len + BLOCK {
                transpose_block(from, from_len, to, to_len, put);
                continue;
            }
            for (j, to) in to.chunks_mut(to_len).take(width).enumerate() {
                for (i, to) in to.iter_mut().take(height).enumerate() {
                    put(to, from[i * from_len + j]);
                }
            }
        }
    }
}

#[inline(always)]
fn transpose_block(
    from: &[f32],
    from_len: usize,
    to: &mut [f32],
    to_len: usize,
    put: impl Fn(&mut f32, f32) + Copy,
) {
    let mut block = [[0.0; BLOCK]; BLOCK];
    for (row, from) in block.iter_mut().zip(from.chunks(from_len)) {
        row.copy_from_slice(&from[..BLOCK]);
    }
    for (j, to) in to.chunks_mut(to_len).take(BLOCK).enumerate() {
        for (to, row) in to[..BLOCK].iter_mut().zip(&block) {
            put(to, row[j]);
        }
    }
}

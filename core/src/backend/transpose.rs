//! Matrices in `f32`, transposed.

/// Transposes rows into columns that begin `column` values apart, N rows at a time. Values next to them are not changed.
#[inline(always)]
pub(super) fn transpose<const N: usize>(
    rows: &[f32],
    len: usize,
    values: &mut [f32],
    column: usize,
    square: &mut [f32],
) {
    for (group, rows) in rows.chunks(N * len).enumerate() {
        let values = &mut values[group * N..];
        if rows.len() == N * len {
            let row = |i: usize| &rows[i * len..(i + 1) * len];
            transpose_whole(core::array::from_fn::<_, N, _>(row), values, column, square);
        } else {
            for (i, row) in rows.chunks_exact(len).enumerate() {
                for (values, &value) in values.chunks_mut(column).zip(row) {
                    values[i] = value;
                }
            }
        }
    }
}

/// Values of a row that are transposed together.
const SQUARE: usize = 8;
/// Memory that this takes: a square, and the same transposed.
pub(super) const SQUARES: usize = 2 * SQUARE * SQUARE;

/// The same for exactly N rows. They pass through memory of a known shape, for which the compiler finds instructions
/// that transpose in registers; for arrays of its own it moves value by value.
// Where vectors are not found at run time, one copy for all callers will do.
#[cfg_attr(target_family = "wasm", inline(never))]
#[cfg_attr(not(target_family = "wasm"), inline(always))]
pub(super) fn transpose_whole<const N: usize>(
    rows: [&[f32]; N],
    values: &mut [f32],
    column: usize,
    square: &mut [f32],
) {
    let (square, transposed) = square.split_at_mut(SQUARE * SQUARE);
    let Some(square) = square.as_chunks_mut::<SQUARE>().0.first_chunk_mut::<N>() else { return };
    let Some(transposed) = transposed.as_chunks_mut::<N>().0.first_chunk_mut::<SQUARE>() else { return };
    let len = rows.first().map_or(0, |row| row.len());
    let whole = len / SQUARE * SQUARE;
    for first in (0..whole).step_by(SQUARE) {
        for (square, row) in square.iter_mut().zip(rows) {
            square.copy_from_slice(&row[first..first + SQUARE]);
        }
        for (j, transposed) in transposed.iter_mut().enumerate() {
            for (transposed, square) in transposed.iter_mut().zip(&*square) {
                *transposed = square[j];
            }
        }
        for (values, transposed) in values[first * column..].chunks_mut(column).zip(&*transposed) {
            values[..N].copy_from_slice(transposed);
        }
    }
    let rest = values.get_mut(whole * column..).unwrap_or_default();
    for (values, place) in rest.chunks_mut(column).zip(whole..len) {
        for (value, row) in values.iter_mut().zip(rows) {
            *value = row[place];
        }
    }
}

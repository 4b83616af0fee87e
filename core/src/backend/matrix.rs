use crate::length::{LengthMismatch, check_length};

/// A matrix in the caller's memory: element (i, j) is `values[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, F> {
    pub(super) values: &'a [F],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

impl<'a, F: Copy> Matrix<'a, F> {
    /// A row-major matrix over the first `rows`·`columns` values.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn new(values: &'a [F], rows: usize, columns: usize) -> Result<Self, LengthMismatch> {
        check_size(values.len(), rows, columns)?;
        Ok(Self::of(values, rows, columns))
    }

    /// The same over values that are known to be enough.
    pub(crate) fn of(values: &'a [F], rows: usize, columns: usize) -> Self {
        Self { values: &values[..rows * columns], rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same values, read as the transposed matrix.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Number of rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// From an element to the one below it, and to the one on its right, in [`Self::values`].
    #[must_use]
    pub const fn strides(&self) -> [usize; 2] {
        [self.row_stride, self.column_stride]
    }

    /// The values, beginning with element (0, 0).
    #[must_use]
    pub const fn values(&self) -> &'a [F] {
        self.values
    }

    pub(super) fn at(&self, i: usize, j: usize) -> F {
        self.values[i * self.row_stride + j * self.column_stride]
    }
}

/// A row-major matrix that a product is written to.
#[derive(Debug)]
pub struct MatrixMut<'a, F> {
    pub(super) values: &'a mut [F],
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl<'a, F> MatrixMut<'a, F> {
    /// A row-major matrix over the first `rows`·`columns` values.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn new(values: &'a mut [F], rows: usize, columns: usize) -> Result<Self, LengthMismatch> {
        check_size(values.len(), rows, columns)?;
        Ok(Self::of(values, rows, columns))
    }

    /// Number of rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// The values, row by row.
    #[must_use]
    pub const fn values(&mut self) -> &mut [F] {
        self.values
    }

    /// The same over values that are known to be enough.
    pub(crate) fn of(values: &'a mut [F], rows: usize, columns: usize) -> Self {
        Self { values: &mut values[..rows * columns], rows, columns }
    }
}

/// Whether there are as many values as a matrix takes.
fn check_size(values: usize, rows: usize, columns: usize) -> Result<(), LengthMismatch> {
    let needed = rows.saturating_mul(columns);
    check_length("the matrix", needed, values.min(needed))
}

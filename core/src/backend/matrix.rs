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
    /// # Panics
    /// When there are fewer.
    #[must_use]
    pub fn new(values: &'a [F], rows: usize, columns: usize) -> Self {
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
    /// # Panics
    /// When there are fewer.
    #[must_use]
    pub fn new(values: &'a mut [F], rows: usize, columns: usize) -> Self {
        Self { values: &mut values[..rows * columns], rows, columns }
    }
}

pub(super) fn check_shapes<F>(a: &Matrix<'_, F>, b: &Matrix<'_, F>, c: &MatrixMut<'_, F>) {
    assert!(
        a.columns == b.rows && a.rows == c.rows && b.columns == c.columns,
        "the product of {}×{} and {}×{} does not have the shape {}×{}",
        a.rows,
        a.columns,
        b.rows,
        b.columns,
        c.rows,
        c.columns
    );
}

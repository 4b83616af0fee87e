//! Plain-text tables.

use std::fmt::Write;

use crate::output::escaped;

/// Rows of cells in columns as wide as their widest cell; the first column to the left, the others to the
/// right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    table_of_texts(rows, 1)
}

/// The same with several columns to the left.
pub(crate) fn table_of_texts(rows: &[Vec<String>], texts: usize) -> String {
    // Names from files may hold what a terminal would obey.
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| escaped(cell, &[])).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row: &Vec<String>| Some(row.get(column)?.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            // Writing to a string cannot fail.
            let gap = if column == 0 { "" } else { "  " };
            let _ = if column < texts {
                write!(line, "{gap}{cell:<width$}")
            } else {
                write!(line, "{gap}{cell:>width$}")
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

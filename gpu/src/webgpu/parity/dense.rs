//! The cases of dense layers.

use super::super::product::FusedProduct;
use super::super::uniforms::Product;
use super::super::variants::{self, Variant};
use super::case::{Random, around, exactly};
use super::{Approx, Case};

/// The directions of a dense layer.
const LAYOUTS: [&str; 5] =
    ["forward", "input gradient", "added input gradient", "weight gradient", "second moment"];

/// C = A B in the layouts of all directions.
pub(super) fn cases(random: &mut Random, cases: &mut Vec<Case>) {
    for variant in Variant::ALL {
        let width = match variant {
            Variant::Plain | Variant::Tiles => 32,
            Variant::Wide => 16,
            Variant::LargeTiles => 64,
        };
        let (rows, columns, inner) = (around(width), around(width), around(16));
        for k in 0..5 {
            // Each size meets others; no product is square.
            let [m, n, i] = [rows[k], columns[(k + 2) % 5], inner[(k + 3) % 5]];
            for layout in LAYOUTS {
                cases.push(product(random, variant, layout, [m, n, i]));
            }
        }
    }
}

fn product(random: &mut Random, variant: Variant, layout: &str, [rows, columns, inner]: [u32; 3]) -> Case {
    const OFFSET: u32 = 3;
    let base = Product { rows, columns, inner, b_offset: OFFSET, c_row: columns, ..Product::default() };
    let (is_forward, is_squared) = (layout == "forward", layout == "second moment");
    let adds = is_squared || layout == "weight gradient" || layout == "added input gradient";
    let product = match layout {
        "forward" => Product {
            a_row: inner,
            a_inner: 1,
            b_inner: 1,
            b_column: inner,
            bias_offset: OFFSET + columns * inner,
            ..base
        },
        "input gradient" | "added input gradient" => {
            Product { a_row: inner, a_inner: 1, b_inner: columns, b_column: 1, ..base }
        }
        _ => Product { a_row: 1, a_inner: rows, b_inner: columns, b_column: 1, c_offset: 2, ..base },
    };
    let a = random.values(rows * inner);
    let b = random.values(OFFSET + inner * columns + columns);
    let before = random.values(product.c_offset + rows * columns);
    let term = |values: &[f32], at: u32| {
        let value = Approx::of(values[at as usize]);
        if is_squared { value * value } else { value }
    };
    let mut after = exactly(before[..product.c_offset as usize].iter().copied());
    for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
        let sum = Approx::dot((0..inner).map(|k| {
            let left = term(&a, row * product.a_row + k * product.a_inner);
            (left, term(&b, OFFSET + k * product.b_inner + column * product.b_column))
        }));
        after.push(if is_forward {
            (sum + Approx::of(b[(product.bias_offset + column) as usize])).relu()
        } else if adds {
            sum + Approx::of(before[(product.c_offset + row * columns + column) as usize])
        } else {
            sum
        });
    }
    let shape = format!("{layout} {rows}×{inner}×{columns}");
    let fused = FusedProduct { block: product, is_squared, has_bias: is_forward, adds, relu: is_forward };
    let case =
        Case::new(Some(variant), shape, variants::product(variant, &fused), &fused).reads(1, &a).reads(2, &b);
    if adds { case.changes(3, &before, after) } else { case.writes(3, after) }
}

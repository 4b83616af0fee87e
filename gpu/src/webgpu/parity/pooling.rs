//! The cases of pooling.

use super::super::kernel::{Launch, Shader};
use super::super::uniforms::{AveragePool2d, MaxPool2d};
use super::super::variants;
use super::case::{Random, added, around, exactly, word};
use super::{Approx, Case, POISON};

/// Winners exactly: ties, equal zeros, and a NaN, which wins.
pub(super) fn max_cases(random: &mut Random, cases: &mut Vec<Case>) {
    for (planes, height, width, kernel, stride) in [
        (1, 2, 3, 2, 1),
        (3, 9, 6, 3, 2),
        (5, 14, 28, 2, 2),
        (2, 7, 11, 5, 3),
        (63, 3, 2, 1, 1),
        (3, 8, 11, 3, 3),
    ] {
        let (out_height, out_width) = ((height - kernel) / stride + 1, (width - kernel) / stride + 1);
        let pool = MaxPool2d { planes, height, width, out_height, out_width, kernel, stride };
        // Few different values: most windows hold ties.
        let mut x: Vec<f32> = (0..planes * height * width).map(|_| (random.next() % 3) as f32).collect();
        let middle = x.len() / 2;
        x[middle] = f32::NAN;
        let dy: Vec<f32> = (1..=planes * out_height * out_width).map(|k| k as f32).collect();
        let mut winners = Vec::new();
        for window in 0..planes * out_height * out_width {
            let (plane, row, column) =
                (window / (out_height * out_width), window / out_width % out_height, window % out_width);
            let corner = (plane * height + row * stride) * width + column * stride;
            let places = (0..kernel).flat_map(|u| (0..kernel).map(move |v| corner + u * width + v));
            let better = |best: u32, place: u32| {
                let [old, new] = [best, place].map(|at| x[at as usize]);
                if new > old || new.is_nan() { place } else { best }
            };
            winners.push(places.fold(corner, better) as usize);
        }
        let shape = format!("{planes}×{height}×{width}, kernel {kernel}, stride {stride}");
        // As words: a NaN must arrive, whatever its bits; it is moved, not computed.
        let forward: Vec<u32> = winners.iter().map(|&at| x[at].to_bits()).collect();
        let poison = |len| vec![POISON; len];
        cases.push(
            Case::of(Shader::MaxPool2d, "max_pool2d_forward", shape.clone(), &pool, word(winners.len()))
                .reads(1, &x)
                .writes_words(3, poison(forward.len()), forward),
        );
        let mut gradient = vec![0.0_f32; x.len()];
        for (&at, &e) in winners.iter().zip(&dy) {
            gradient[at] += e;
        }
        for adds in [false, true] {
            let launch = variants::max_pool2d_backward(&pool, adds);
            cases.push(
                Case::new(None, format!("{shape}{}", added(adds)), launch, &pool)
                    .reads(1, &x)
                    .reads(2, &dy)
                    .leaves(3, adds, random, exactly(gradient.iter().copied())),
            );
        }
    }
}

/// Planes, height, width, kernel, stride: apart, with gaps, overlapping, and beside a remainder.
const WINDOWS: [[u32; 5]; 5] =
    [[1, 2, 3, 2, 1], [3, 9, 6, 3, 2], [5, 14, 28, 2, 2], [2, 7, 11, 2, 3], [63, 3, 2, 1, 1]];

/// Means of square windows.
pub(super) fn average_cases(random: &mut Random, cases: &mut Vec<Case>) {
    for [planes, height, width, kernel, stride] in WINDOWS {
        means(
            random,
            AveragePool2d {
                planes,
                height,
                width,
                out_height: (height - kernel) / stride + 1,
                out_width: (width - kernel) / stride + 1,
                kernel_height: kernel,
                kernel_width: kernel,
                stride,
            },
            cases,
        );
    }
}

/// Means of whole channels.
pub(super) fn global_cases(random: &mut Random, cases: &mut Vec<Case>) {
    for (planes, [height, width]) in around(64).into_iter().zip([[1, 1], [8, 8], [3, 7], [1, 5], [4, 2]]) {
        means(
            random,
            AveragePool2d {
                planes,
                height,
                width,
                out_height: 1,
                out_width: 1,
                kernel_height: height,
                kernel_width: width,
                stride: 1,
            },
            cases,
        );
    }
}

fn means(random: &mut Random, pool: AveragePool2d, cases: &mut Vec<Case>) {
    let AveragePool2d { planes, height, width, out_height, out_width, kernel_height, kernel_width, stride } =
        pool;
    let x = random.values(planes * height * width);
    let dy = random.values(planes * out_height * out_width);
    let share = Approx::exact(1.0) / Approx::exact((kernel_height * kernel_width).into());
    let windows = || {
        (0..planes * out_height * out_width).map(|window| {
            let (plane, row, column) =
                (window / (out_height * out_width), window / out_width % out_height, window % out_width);
            let corner = (plane * height + row * stride) * width + column * stride;
            (0..kernel_height)
                .flat_map(move |u| (0..kernel_width).map(move |v| (corner + u * width + v) as usize))
        })
    };
    let mut terms = vec![Vec::new(); x.len()];
    for (window, &dy) in windows().zip(&dy) {
        window.for_each(|pixel| terms[pixel].push(Approx::of(dy)));
    }
    let y = windows().map(|window| Approx::sum(window.map(|pixel| Approx::of(x[pixel]))) * share);
    let shape =
        format!("{planes}×{height}×{width}, windows of {kernel_height}×{kernel_width}, stride {stride}");
    cases.push(
        Case::of(Shader::AveragePool2d, "average_pool2d_forward", shape.clone(), &pool, word(dy.len()))
            .reads(1, &x)
            .writes(2, y.collect()),
    );
    let gradient: Vec<Approx> = terms.into_iter().map(|terms| Approx::sum(terms) * share).collect();
    for adds in [false, true] {
        let (entry, constants) = ("average_pool2d_backward", [("ADD", adds)]);
        let launch = Launch::flat(Shader::AveragePool2d, entry, &constants, word(x.len()));
        cases.push(Case::new(None, format!("{shape}{}", added(adds)), launch, &pool).reads(1, &dy).leaves(
            2,
            adds,
            random,
            gradient.clone(),
        ));
    }
}

//! `merge.json`: batches in pieces. Pooled they give what the whole gives; the pieces' means alone give the
//! worker-gradient test.

use adadagrad_core::batch_test::{AnyTest, Required, WorkerNormTest};
use adadagrad_core::real::{Real, dot, square_norm};
use adadagrad_core::statistics::{Inner, Needs, Statistics};
use adadagrad_tests::compare::{Check, all_close, close, equal};
use adadagrad_tests::engine::all_needs;
use adadagrad_tests::golden::{self, Chunk, MergeCase, MergeFile, Workers};

use crate::golden_statistics::{F32, F64, Measured, check_expected, quantity, rows, too_hard_for_f32};

/// A chunk's own numbers, before it is merged.
fn check_chunk<F: Real<Sum = f64>>(part: &mut Statistics<'_, F>, chunk: &Chunk, unit: f64) -> Check {
    let mut mean = vec![F::zero(); chunk.mean_gradient.len()];
    part.mean_gradient(&mut mean).map_err(|error| error.to_string())?;
    all_close("mean_gradient", &mean, &chunk.mean_gradient, unit * chunk.S.sqrt())?;
    close("S", part.totals.sum_squared_norms, chunk.S, unit * chunk.S)?;
    let spare = f64::from(part.totals.samples) - 1.0;
    for (d, &expected) in chunk.coordinate_centred_sums.iter().enumerate() {
        let found = part.coordinate_variance(d).map_or(0.0, |variance| variance * spare);
        close(&format!("coordinate_centred_sums[{d}]"), found, expected, unit * chunk.S)?;
    }
    let evidence = part.evidence(&Needs { norms: true, ..Needs::NONE }, None);
    let single = "single_sample".to_owned();
    let reason = chunk.trace.is_none().then_some(&single);
    quantity("trace", evidence.variance(), chunk.trace, reason, unit * chunk.S / spare.max(1.0))?;
    let centred = evidence.variance().map_or(0.0, |variance| variance * spare);
    close("centred_sum", centred, chunk.centred_sum, unit * chunk.S)
}

fn check_workers(measured: &Measured, workers: &Workers, b: f64, s: f64, unit: f64) -> Check {
    let evidence = &measured.evidence;
    let parts = evidence.parts.unwrap();
    equal("J", &parts.count, &workers.J)?;
    close("n", evidence.mean_norm_sq, workers.n, unit * s / b)?;
    let between = parts.sum_squared_means - b * evidence.mean_norm_sq;
    close("between", between, workers.between, unit * s)?;
    let spare = f64::from(workers.J) - 1.0;
    let bound = unit * s / spare.max(1.0);
    quantity("trace", evidence.worker_variance(), workers.trace, workers.reasons.get("trace"), bound)?;
    for row in &workers.required_norm {
        let eta = row.eta.unwrap();
        let test = AnyTest::WorkerNorm(WorkerNormTest { eta, workers: workers.J });
        let found = test.as_test().required(evidence);
        let what = format!("workers.required_norm at {eta}");
        let Some(value) = row.value else {
            let reason = golden::reason(row.reason.as_ref().unwrap());
            equal(&what, &found, &Required::Undefined(reason))?;
            continue;
        };
        let size = found.size().ok_or_else(|| format!("{what} is {found:?}"))?;
        let division = if unit <= F64 { 1e-9 } else { unit * s / b / workers.n };
        close(&what, size, value, bound / (eta * eta * workers.n) + division * value)?;
        if unit <= F64 {
            let (low, high) = (row.ceil_low.unwrap(), row.ceil_high.unwrap());
            assert!(low <= size.ceil() && size.ceil() <= high, "ceiling of {what}: {size}");
        }
    }
    Ok(())
}

/// Merges the chunks in the order of `order`: micro-batches in `F`, their total in the wider type, as every
/// engine does.
fn check_case<F: Real<Sum = f64>>(case: &MergeCase, order: &[usize], unit: f64) -> Check {
    let rows = rows::<F>(&case.gradients);
    let width = rows[0].len();
    let starts: Vec<usize> =
        case.sizes.iter().scan(0, |end, size| Some(std::mem::replace(end, *end + size))).collect();
    let chunk_rows = |chunk: usize| &rows[starts[chunk]..starts[chunk] + case.sizes[chunk]];
    let (mut total_sums, mut total_moments) = (vec![0.0; width], vec![0.0; width]);
    let mut total = Statistics::<f64>::new(&mut total_sums, &mut total_moments).unwrap();
    for &index in order {
        let (mut sums, mut moments) = (vec![F::zero(); width], vec![F::zero(); width]);
        let mut part = Statistics::new(&mut sums, &mut moments).unwrap();
        for row in chunk_rows(index) {
            part.push(row, 0.5).unwrap();
        }
        let chunk = &case.chunks[index];
        equal("size", &case.sizes[index], &chunk.size)?;
        check_chunk(&mut part, chunk, unit).map_err(|error| format!("chunk {index}: {error}"))?;
        total.merge(&part.into_part()).unwrap();
    }
    let mut mean = vec![F::zero(); width];
    total.mean_gradient(&mut mean).unwrap();
    let s = case.pooled.S.unwrap();
    let mut inner = Inner::default();
    for &index in order {
        let mut part = Inner::default();
        for row in chunk_rows(index) {
            part.add(square_norm(row), dot(row, &mean).unwrap());
        }
        let expected = case.chunks[index].P2_with_pooled_gradient;
        let bound = unit * case.chunks[index].S * s / rows.len() as f64;
        close(&format!("chunk {index}: P2"), part.sum_squared_inner_products, expected, bound)?;
        inner.merge(&part);
    }
    let mut mean_gradient = vec![0.0; width];
    total.mean_gradient(&mut mean_gradient).unwrap();
    let coordinate_variances = (0..width).map(|d| total.coordinate_variance(d)).collect();
    let parts = u32::try_from(order.len()).unwrap();
    let measured = Measured {
        evidence: total.evidence(&Needs { parts, ..all_needs() }, Some(inner)),
        mean_gradient,
        square_norms: rows.iter().map(|row| square_norm(row)).collect(),
        inner_products: rows.iter().map(|row| dot(row, &mean).unwrap()).collect(),
        coordinate_variances,
    };
    check_expected(&measured, &rows, &case.pooled, unit)?;
    close("loss", measured.evidence.loss, 0.5, 1e-15)?;
    check_workers(&measured, &case.workers, rows.len() as f64, s, unit)
}

fn check_in_all_orders<F: Real<Sum = f64>>(case: &MergeCase, unit: f64) -> Check {
    let forwards: Vec<usize> = (0..case.sizes.len()).collect();
    let backwards: Vec<usize> = forwards.iter().rev().copied().collect();
    for order in [forwards, backwards] {
        check_case::<F>(case, &order, unit).map_err(|error| format!("{} {order:?}: {error}", case.name))?;
    }
    Ok(())
}

fn file() -> MergeFile {
    golden::read("merge.json")
}

#[test]
fn every_number_in_f64() -> Check {
    let file = file();
    assert!(file.cases.len() >= 10);
    file.cases.iter().try_for_each(|case| check_in_all_orders::<f64>(case, F64))
}

#[test]
fn every_number_in_f32() -> Check {
    let file = file();
    let cases = file.cases.iter().filter(|case| !too_hard_for_f32(&case.name));
    cases.into_iter().try_for_each(|case| check_in_all_orders::<f32>(case, F32))
}

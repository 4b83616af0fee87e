//! The cases: sizes of 1, w − 1, w, w + 1 and 2w + 3 around the size w of a workgroup or tile, never square.

use adadagrad_core::augmentation::{Augmentation, Placements};
use adadagrad_core::dataset::{Dataset, Encoding, Targets, Visit};
use adadagrad_core::images::LabelledImages;
use adadagrad_core::network::Shape;
use adadagrad_core::optimizer::{AnyOptimizer, Optimizer, Shared, StepScalars};
use adadagrad_core::shuffle::Shuffle;

use super::super::images::{DeviceOrder, Format, Layout, table};
use super::super::kernel::{Grid, Launch, Shader};
use super::super::uniforms::{Batch, Draw};
use super::super::update::{launch, slot_len, spread, step};
use super::super::variants::{self, Sum, Variant};
use super::case::{Random, around, exactly, word};
use super::{Approx, Case, POISON, coordinates, layers};

/// Every case of every kernel.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut random = Random(1);
    layers::cases(&mut random, &mut cases);
    draws(&mut random, &mut cases);
    losses(&mut random, &mut cases);
    per_sample(&mut random, &mut cases);
    sums(&mut random, &mut cases);
    optimizers(&mut random, &mut cases);
    coordinates::cases(&mut random, &mut cases);
    decaying_memory(&mut cases);
    cases
}

/// Which images, exactly; also across the end of a pass, in buffers that hold some of them only, and placed in any way.
fn draws(random: &mut Random, cases: &mut Vec<Case>) {
    let [none, both] = [Augmentation::NONE, Augmentation { padding: 2, flip: true }];
    for (length, shape, position, samples, order, augmentation) in [
        (1, Shape::vector(1), 0, 1, DeviceOrder::Shuffled(3), none),
        (2, Shape::image(3, 2, 2), 1, 2, DeviceOrder::Shuffled(4), both),
        (63, Shape::vector(7), 60, 5, DeviceOrder::Shuffled(5), none),
        (64, Shape::image(2, 2, 1), 640, 64, DeviceOrder::Shuffled(6), Augmentation { padding: 5, ..both }),
        (65, Shape::image(1, 3, 5), 64, 65, DeviceOrder::Shuffled(7), both),
        (131, Shape::image(4, 1, 3), 262, 131, DeviceOrder::Shuffled(u64::MAX), none),
        (131, Shape::image(2, 3, 1), 100, 31, DeviceOrder::File, Augmentation { padding: 1, flip: false }),
        (9, Shape::image(3, 3, 5), 3, 9, DeviceOrder::Shuffled(8), Augmentation { padding: 0, flip: true }),
        (64, Shape::image(1, 6, 6), 1, 33, DeviceOrder::Shuffled(9), none),
        (65, Shape::image(4, 7, 5), 60, 7, DeviceOrder::File, both),
    ] {
        let len = shape.len();
        let bytes: Vec<u8> = (0..length as usize * len).map(|_| (random.next() >> 9) as u8).collect();
        let all_labels: Vec<u8> = (0..length).map(|label| label as u8).collect();
        let channels = Encoding::Bytes { mean: [0.4, 0.1, 0.9, 0.3], deviation: [0.3, 1.7, 0.01, 0.2] };
        let visit_at = |place: u64| {
            let (pass, within) = (place / u64::from(length), (place % u64::from(length)) as u32);
            let sample = match order {
                DeviceOrder::File => within,
                DeviceOrder::Shuffled(seed) => Shuffle::new(length, seed, pass).index(within),
            };
            Visit { sample, pass }
        };
        let visits: Vec<Visit> = (position..).take(samples as usize).map(visit_at).collect();
        let words = |bytes: &[u8]| -> Vec<u32> {
            let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
            bytes.chunks(4).map(word).collect()
        };
        // A buffer with some of them, and one with all.
        let (third, two_thirds) = (length / 3, 2 * length / 3);
        for (first, held) in [(third, two_thirds - third), (0, length)] {
            let is_held = |visit: &Visit| (first..first + held).contains(&visit.sample);
            let of_held = |word: u32, visit: &Visit| if is_held(visit) { word } else { POISON };
            let drawn: Vec<u32> = visits.iter().map(|visit| of_held(visit.sample, visit)).collect();
            let case = |layout: Layout, what: &str, expected: Vec<u32>| {
                let draw = Draw { first, held, ..layout.draw(order, position, samples) };
                let what = format!(
                    "{samples} of {length} samples of {shape} from {position} on, {held} held, {order:?}, {what}"
                );
                Case::new(None, what, layout.launch(samples), &draw)
                    .reads_words(2, (0..length).collect())
                    .writes_words(4, vec![POISON; samples as usize], drawn.clone())
                    .writes_words(3, vec![POISON; expected.len()], expected)
            };
            for encoding in [Encoding::BYTES, channels] {
                let placements = Placements { augmentation, seed: 11 };
                let format = Format::Bytes { per_channel: encoding != Encoding::BYTES };
                let images = LabelledImages::new(&bytes[..], &all_labels[..], shape, 256)
                    .map(|images| images.with_encoding(encoding).with_placements(placements));
                let mut values = vec![0.0_f32; len];
                let mut expected = Vec::new();
                for visit in &visits {
                    if let Some(images) = &images {
                        let read = images.read(*visit, &mut values, &mut Targets::labels(&mut [0]));
                        read.expect("an image of these");
                    }
                    expected.extend(values.iter().map(|value| of_held(value.to_bits(), visit)));
                }
                let layout = Layout { count: length, shape, format, placements, labels: 1 };
                let what = format!("{augmentation:?}, {encoding:?}");
                let held_bytes = &bytes[first as usize * len..(first + held) as usize * len];
                // A buffer is never empty.
                let held_words = [words(held_bytes), vec![POISON]].concat();
                cases.push(
                    case(layout, &what, expected)
                        .reads_words(1, held_words)
                        .reads(5, &table(encoding, shape)),
                );
            }
            let floats: Vec<u32> =
                (0..length as usize * len).map(|_| random.next() << 8 ^ random.next()).collect();
            let values = visits.iter().flat_map(|visit| {
                let values = &floats[visit.sample as usize * len..][..len];
                values.iter().map(|&word| of_held(word, visit))
            });
            let expected: Vec<u32> = values.collect();
            let placements = Placements::NONE;
            let layout = Layout { count: length, shape, format: Format::Floats, placements, labels: 1 };
            let held_words =
                [&floats[first as usize * len..(first + held) as usize * len], &[POISON]].concat();
            cases.push(case(layout, "floats", expected.clone()).reads_words(1, held_words.clone()));
            // Three labels a sample.
            let layout = Layout { labels: 3, ..layout };
            let draw = Draw { first, held, ..layout.draw(order, position, samples) };
            let what = format!("{samples} of {length} samples of {shape} with three labels, {held} held");
            let labels =
                visits.iter().flat_map(|visit| [0, 1, 2].map(|k| of_held(3 * visit.sample + k, visit)));
            cases.push(
                Case::new(None, what, layout.launch(samples), &draw)
                    .reads_words(1, held_words)
                    .reads_words(2, (0..3 * length).collect())
                    .writes_words(3, vec![POISON; expected.len()], expected)
                    .writes_words(4, vec![POISON; 3 * samples as usize], labels.collect()),
            );
        }
    }
}

/// Vectors of outputs, and sequences of them.
fn losses(random: &mut Random, cases: &mut Vec<Case>) {
    let scales = [1.0, 2.0_f32.powi(-90), 1.0, 2.0_f32.powi(90), 0.5];
    for ((samples, outputs), scale) in around(64).into_iter().zip([10, 2, 7, 11, 3]).zip(scales) {
        losses_of(random, cases, [samples, outputs, 1], scale);
    }
    let sizes = [[1, 3, 2], [5, 2, 63], [3, 7, 64], [2, 5, 65], [7, 4, 131]];
    for (sizes, scale) in sizes.into_iter().zip(scales) {
        losses_of(random, cases, sizes, scale);
    }
}

fn losses_of(
    random: &mut Random,
    cases: &mut Vec<Case>,
    [samples, outputs, positions]: [u32; 3],
    scale: f32,
) {
    let capacity = samples + 2;
    let x: Vec<f32> = random.values(samples * outputs * positions).iter().map(|x| 8.0 * x).collect();
    let labels: Vec<u32> = (0..samples * positions).map(|_| random.next() % outputs).collect();
    let [classes, len] = [outputs, positions].map(|size| size as usize);
    let untouched = || [Approx::UNTOUCHED; 2];
    let share = Approx::of(scale) / Approx::exact(positions.into());
    let share = if positions == 1 { Approx::of(scale) } else { share };
    let (mut losses, mut hits) = (Vec::new(), Vec::new());
    let mut gradients = vec![Approx::UNTOUCHED; x.len()];
    for (sample, labels) in labels.chunks_exact(len).enumerate() {
        let (mut loss, mut right) = (Vec::new(), 0.0);
        for (position, &label) in labels.iter().enumerate() {
            let place = |class: usize| (sample * classes + class) * len + position;
            let best = (0..classes).fold(0, |best, k| if x[place(k)] > x[place(best)] { k } else { best });
            let top = Approx::of(x[place(best)]);
            let powers: Vec<_> =
                (0..classes).map(|class| (Approx::of(x[place(class)]) - top).exp()).collect();
            let sum = Approx::sum(powers.iter().copied());
            loss.push(sum.ln() + (top - Approx::of(x[place(label as usize)])));
            right += f64::from(u8::from(best == label as usize));
            for (class, &power) in powers.iter().enumerate() {
                let target = f64::from(u8::from(class == label as usize));
                gradients[place(class)] = (power / sum - Approx::exact(target)) * share;
            }
        }
        losses.push(match loss[..] {
            [loss] => loss,
            _ => Approx::sum(loss) / Approx::exact(positions.into()),
        });
        hits.push(Approx::exact(right));
    }
    let zeros = vec![Approx::exact(0.0); samples as usize];
    let rows = [losses, hits, zeros.clone(), zeros].map(|row| [row, untouched().to_vec()].concat());
    let batch = Batch { samples, capacity, outputs, count: positions, ..Batch::default() };
    let (entry, grid) = match positions {
        1 => ("softmax_cross_entropy", Grid::Flat(samples)),
        _ => ("sequence_cross_entropy", Grid::Folded(samples)),
    };
    let shape =
        format!("{samples} samples of {outputs} classes at {positions} positions, gradients times {scale:e}");
    let launch = Launch { shader: Shader::Statistics, entry, constants: Vec::new(), grid };
    cases.push(
        Case::new(None, shape, launch, &batch)
            .reads(1, &x)
            .writes(3, rows.concat())
            .writes(4, gradients)
            .reads_words(5, labels)
            .reads(7, &[scale]),
    );
}

/// Long sums: an invocation each, or a workgroup.
const BY: [Variant; 2] = [Variant::Plain, Variant::Tiles];

fn summing(variant: Variant, sum: Sum, shape: &str, batch: &Batch, count: u32) -> Case {
    Case::new(Some(variant), shape.to_owned(), variants::sums(variant, sum, count), batch)
}

/// What adds to the per-sample rows.
fn per_sample(random: &mut Random, cases: &mut Vec<Case>) {
    // Without inputs, a small layer's own gradients.
    let sizes = [[7, 3], [1, 65], [131, 2], [64, 1], [5, 9]].into_iter().zip(around(64));
    for ([inputs, outputs], samples) in sizes.chain([([0, 7], 66)]) {
        let capacity = samples + 3;
        let base = Batch { samples, capacity, inputs, outputs, ..Batch::default() };
        let before = random.values(4 * capacity);
        let [x, e, projected] = [inputs, outputs, outputs].map(|len| random.values(samples * len));
        let row = |values: &[f32], len: u32, sample: u32| {
            exactly(values[(sample * len) as usize..][..len as usize].iter().copied())
        };
        let square = |values: Vec<Approx>| Approx::dot(values.iter().map(|&value| (value, value)));
        let added = |place: u32, terms: &dyn Fn(u32) -> Approx| {
            let mut after = exactly(before.iter().copied());
            for sample in 0..samples {
                let at = (place * capacity + sample) as usize;
                after[at] = after[at] + terms(sample);
            }
            after
        };
        let shape = format!("{samples} samples of {inputs} and {outputs} values");
        let norms = added(2, &|sample| {
            square(row(&e, outputs, sample)) * (square(row(&x, inputs, sample)) + Approx::exact(1.0))
        });
        for variant in BY {
            let case = summing(variant, Sum::DenseNorms, &shape, &base, samples);
            cases.push(case.reads(1, &x).reads(2, &e).changes(3, &before, norms.clone()));
        }
        let products = added(3, &|sample| {
            Approx::dot(row(&e, outputs, sample).into_iter().zip(row(&projected, outputs, sample)))
        });
        let dense = Batch { stride: outputs, ..base };
        cases.push(
            Case::of(Shader::Statistics, "inner_products", shape.clone(), &dense, samples)
                .reads(1, &projected)
                .reads(2, &e)
                .changes(3, &before, products),
        );
        let sum = random.values(2 + outputs);
        let products = added(3, &|sample| {
            Approx::dot(row(&e, outputs, sample).into_iter().zip(exactly(sum[2..].iter().copied())))
        });
        let small = Batch { offset: 2, ..base };
        cases.push(
            Case::of(Shader::Statistics, "inner_products", format!("{shape}, small layer"), &small, samples)
                .reads(1, &sum)
                .reads(2, &e)
                .changes(3, &before, products),
        );
        for place in [2, 3] {
            let batch = Batch { tiles: inputs, stride: inputs + 1, place, ..base };
            let tiles = random.values(samples * (inputs + 1));
            let sums = added(place, &|sample| {
                Approx::sum(row(&tiles, inputs + 1, sample).into_iter().take(inputs as usize))
            });
            for variant in BY {
                let case = summing(variant, Sum::Tiles, &shape, &batch, samples);
                cases.push(case.reads(1, &tiles).changes(3, &before, sums.clone()));
            }
        }
    }
}

/// Sums over samples, slices and parameters.
fn sums(random: &mut Random, cases: &mut Vec<Case>) {
    for (count, others) in around(64).into_iter().zip([5, 1, 3, 70, 2]) {
        let before = random.values(count + 4);
        let offset = 2_usize;
        let with = |terms: &dyn Fn(usize) -> Approx| {
            let mut after = exactly(before.iter().copied());
            for k in 0..count as usize {
                after[offset + k] = after[offset + k] + terms(k);
            }
            after
        };
        let column = |values: &[f32], k: usize| {
            exactly(values.chunks_exact(count as usize).map(|row| row[k]).collect::<Vec<_>>())
        };
        let values = random.values(others * count);
        for stride in [1, 2] {
            let batch = Batch { samples: others, outputs: count, offset: 2, stride, ..Batch::default() };
            let after = with(&|k| {
                let terms = column(&values, k).into_iter();
                Approx::sum(terms.map(|e| if stride == 2 { e * e } else { e }))
            });
            let shape = format!("{others} samples, {count} outputs, power {stride}");
            for variant in BY {
                let case = summing(variant, Sum::Samples, &shape, &batch, count);
                cases.push(case.reads(2, &values).changes(4, &before, after.clone()));
            }
        }
        let batch = Batch { tiles: others, count, offset: 2, ..Batch::default() };
        let after = with(&|k| Approx::sum(column(&values, k)));
        cases.push(
            Case::of(Shader::Statistics, "add_slices", format!("{others} slices of {count}"), &batch, count)
                .reads(1, &values)
                .changes(4, &before, after),
        );
        let part = random.values(count);
        let whole = random.values(count);
        let after = whole.iter().zip(&part).map(|(&a, &b)| Approx::of(a) + Approx::of(b)).collect();
        let batch = Batch { count, ..Batch::default() };
        cases.push(
            Case::of(Shader::Statistics, "add_part", format!("{count} values"), &batch, count)
                .reads(1, &part)
                .changes(4, &whole, after),
        );
        folds(random, count, cases);
    }
}

/// The micro-batch's six sums and the gradient's square norm, also where one is not finite.
fn folds(random: &mut Random, count: u32, cases: &mut Vec<Case>) {
    let place = 3_u32;
    let one =
        |entry, what, batch: &Batch| Case::of(Shader::Statistics, entry, format!("{count} {what}"), batch, 1);
    let poisoned = vec![f32::from_bits(POISON); place as usize];
    let placed = |sums: Vec<Approx>| [vec![Approx::UNTOUCHED; place as usize], sums].concat();
    let before = |len: usize| [poisoned.clone(), vec![f32::from_bits(POISON); len]].concat();
    let capacity = count + 1;
    let rows = random.values(4 * capacity);
    let at = |row: u32, sample: u32| Approx::of(rows[(row * capacity + sample) as usize]);
    let total = |term: &dyn Fn(u32) -> Approx| Approx::sum((0..count).map(term));
    let folded = vec![
        total(&|k| at(0, k)),
        total(&|k| at(1, k)),
        total(&|k| at(2, k)),
        total(&|k| at(3, k) * at(3, k)),
        total(&|k| at(2, k) * at(3, k)),
        total(&|k| at(2, k) * at(2, k)),
    ];
    let batch = Batch { samples: count, capacity, place, ..Batch::default() };
    cases.push(
        one("fold_samples", "samples", &batch)
            .reads(3, &rows)
            .changes(4, &before(6), placed(folded))
            .writes_words(6, vec![0], vec![0]),
    );
    let mut infinite = rows;
    infinite[(count / 2) as usize] = f32::INFINITY;
    cases.push(
        one("fold_samples", "samples, one with an infinite loss", &batch)
            .reads(3, &infinite)
            .reads(4, &before(6))
            .writes_words(6, vec![0], vec![1]),
    );
    square_norms(random, count, place, cases);
}

fn square_norms(random: &mut Random, count: u32, place: u32, cases: &mut Vec<Case>) {
    // More than one round of all workgroups.
    let count = 70 * count;
    let gradient = random.values(count);
    let batch = Batch { count, place, ..Batch::default() };
    let untouched = vec![Approx::UNTOUCHED; place as usize];
    let before = vec![f32::from_bits(POISON); place as usize + 64];
    let mut broken = gradient.clone();
    broken[(count / 2) as usize] = f32::NAN;
    for variant in BY {
        let by_group = variant == Variant::Tiles;
        let share = |share: usize| {
            let is_in = |k: usize| if by_group { k / 64 % 64 == share } else { k % 64 == share };
            let terms = gradient.iter().enumerate().filter(|(k, _)| is_in(*k));
            Approx::sum(terms.map(|(_, &g)| Approx::of(g) * Approx::of(g)))
        };
        let after = [untouched.clone(), (0..64).map(share).collect()].concat();
        let case = |what| summing(variant, Sum::SquareNorm, &format!("{count} parameters{what}"), &batch, 64);
        cases.push(case("").reads(1, &gradient).changes(4, &before, after).writes_words(6, vec![0], vec![0]));
        cases.push(case(", one of them NaN").reads(1, &broken).reads(4, &before).writes_words(
            6,
            vec![0],
            vec![1],
        ));
    }
}

/// One optimizer of each kernel, with these values of the settings that it has.
fn of_each_kernel(settings: &[(&str, f64)]) -> Vec<AnyOptimizer> {
    let mut rules: Vec<AnyOptimizer> = Vec::new();
    for rule in AnyOptimizer::all() {
        if rules.iter().any(|known| known.kernel().name == rule.kernel().name) {
            continue;
        }
        let mut changed = serde_json::to_value(rule).unwrap_or_default();
        for &(name, value) in settings {
            if let Some(place) = changed.get_mut(name) {
                *place = value.into();
            }
        }
        // The defaults are as good, if not as telling.
        rules.push(serde_json::from_value(changed).unwrap_or(rule));
    }
    rules
}

/// Every update against the core's in `f64`; and none where the batch was refused.
fn optimizers(random: &mut Random, cases: &mut Vec<Case>) {
    let rules = of_each_kernel(&[
        ("weight_decay", 0.0625),
        ("epsilon", 0.125),
        ("momentum", 0.875),
        ("alpha", 0.75),
        ("beta1", 0.75),
        ("beta2", 0.875),
    ]);
    for (rule, count) in rules.iter().flat_map(|rule| around(64).map(|count| (rule, count))) {
        let samples = 8;
        let slots = Optimizer::<f64>::slots(rule.as_optimizer::<f64>());
        let [parameters, sum] = [random.values(count), random.values(count)];
        // Second moments are not negative.
        let memory: Vec<f32> = random.values(word(slots) * count).iter().map(|m| m.abs() + 0.25).collect();
        let (_, own) = rule.as_optimizer::<f32>().prepare(&Shared::default(), 0.25, 1.0);
        let scalars = StepScalars { step_size: 0.25, root_scale: 1.25, shrink: 0.9375, ..own };
        let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
        let [mut new_parameters, mut new_memory] = [wide(&parameters), wide(&memory)];
        let mean: Vec<f64> = wide(&sum).iter().map(|g| g / f64::from(samples)).collect();
        let (_, own) = rule.as_optimizer::<f64>().prepare(&Shared::default(), 0.25, 1.0);
        let exact = StepScalars { step_size: 0.25, root_scale: 1.25, shrink: 0.9375, ..own };
        let updated = rule.as_optimizer::<f64>().update(&exact, &mut new_parameters, &mean, &mut new_memory);
        // Every third is exempt, and two at the end.
        let is_exempt = |k: usize| k % 3 == 1 || k + 2 >= mean.len();
        let [mut masked_parameters, mut masked_memory] = [wide(&parameters), wide(&memory)];
        let mut exempt = (0..mean.len()).filter(|&k| is_exempt(k)).map(|k| k..k + 1);
        let masked = rule.as_optimizer::<f64>().update_except(
            &exact,
            &mut exempt,
            &mut masked_parameters,
            &mean,
            &mut masked_memory,
        );
        let mut bits = vec![0; mean.len().div_ceil(32)];
        (0..mean.len()).filter(|&k| is_exempt(k)).for_each(|k| bits[k / 32] |= 1 << (k % 32));
        if updated.and(masked).is_err() {
            // Lengths that fit cannot be refused; a case without values would show.
            new_parameters.fill(f64::INFINITY);
        }
        // At most 16 operations, and divisions count thrice; everything that is added is below 4, and what is
        // divided by is above ε = 1/8: an error grows by at most 8 on its way.
        let error = 16.0 * 3.0 * 8.0 * 4.0 * f64::from(f32::EPSILON);
        let near = |values: Vec<f64>| values.into_iter().map(|value| Approx::new(value, error)).collect();
        let uniform = step(rule, &scalars, count as usize, samples);
        // Behind a slot's last value lie others up to the next vector, which stay.
        let len = count as usize;
        let before = spread(&memory, len);
        let unused = |k: usize| k % slot_len(len) >= len;
        let on_device = |values: Vec<Approx>| {
            let mut values = values.into_iter();
            let word = |k| if unused(k) { Some(Approx::exact(0.0)) } else { values.next() };
            (0..before.len()).map_while(word).collect::<Vec<_>>()
        };
        let case = |what, bits: Option<&[u32]>, after: Option<[&Vec<f64>; 2]>| {
            let shape = format!("{count} parameters{what}");
            let launch = launch(rule, bits.is_some(), len);
            let kept = |values: &[f32]| exactly(values.iter().copied());
            let [new_parameters, new_memory] = match after {
                Some([parameters, memory]) => [near(parameters.clone()), on_device(near(memory.clone()))],
                None => [kept(&parameters), kept(&before)],
            };
            let case = Case::new(None, shape, launch, &uniform)
                .reads(2, &sum)
                .changes(1, &parameters, new_parameters)
                .reads_words(4, vec![after.is_none().into()])
                .reads_words(5, bits.unwrap_or(&[0]).to_vec());
            if slots > 0 { case.changes(3, &before, new_memory) } else { case }
        };
        cases.extend([
            case("", None, Some([&new_parameters, &new_memory])),
            case(", some without decay", Some(&bits[..]), Some([&masked_parameters, &masked_memory])),
            case(", refused", None, None),
        ]);
    }
}

/// Memory of parameters without a gradient: exactly the core's as long as it is normal, and 0 where others would have
/// subnormal numbers, on every device. (The core's AdaGrad does not even read the memory of rows without a gradient.)
fn decaying_memory(cases: &mut Vec<Case>) {
    const COUNT: u32 = 66;
    let rules = of_each_kernel(&[("momentum", 0.75), ("alpha", 0.75), ("beta1", 0.75), ("beta2", 0.875)]);
    let sizes = [0.5, 1.0, 4.0, 1e10].map(|size| size * f32::MIN_POSITIVE);
    for rule in rules {
        let optimizer = rule.as_optimizer::<f32>();
        let slot: Vec<f32> = sizes.into_iter().cycle().take(COUNT as usize).collect();
        let before = slot.repeat(optimizer.slots());
        let (_, own) = optimizer.prepare(&Shared::default(), 0.25, 1.0);
        let scalars = StepScalars { step_size: 0.25, root_scale: 1.0, shrink: 1.0, ..own };
        let (gradient, parameters) = (vec![0.0; slot.len()], vec![0.5; slot.len()]);
        let [mut decayed, mut unchanged] = [before.clone(), parameters.clone()];
        if before.is_empty() || optimizer.update(&scalars, &mut unchanged, &gradient, &mut decayed).is_err() {
            continue;
        }
        decayed.iter_mut().filter(|value| value.abs() < f32::MIN_POSITIVE).for_each(|value| *value = 0.0);
        let [before, decayed] = [before, decayed].map(|memory| spread(&memory, slot.len()));
        cases.push(
            Case::of(
                Shader::Optimizer,
                rule.kernel().name,
                format!("{COUNT} parameters whose memory decays"),
                &step(&rule, &scalars, slot.len(), 8),
                COUNT.div_ceil(4),
            )
            .reads(2, &gradient)
            .changes(1, &parameters, exactly(unchanged))
            .reads_words(4, vec![0])
            .reads_words(5, vec![0])
            .changes(3, &before, exactly(decayed)),
        );
    }
}

//! The batch sizes of a run as a list of sizes, which another run takes without looking at a gradient.

use super::quantity::Course;

/// As many sizes as such a list may hold.
const MOST_STAGES: u32 = 12;
/// Added to the seed of the run whose sizes are taken.
pub(crate) const OTHER_SEEDS: u64 = 1000;
/// Of an experiment: its replays' seeds are valid, too.
pub(crate) const LARGEST_SEED: u64 = (1 << 53) - 1 - OTHER_SEEDS;

/// `start:size …`, in as many stages as there may be. A stage ends where the batch has grown by the twelfth part of all growth,
/// in powers of two; its size is the mean of its steps, so that it has as many steps as the run had.
pub(crate) fn schedule(course: &Course) -> String {
    let [first, largest] = [
        course.steps.first().map_or(1, |step| step.batch),
        course.steps.iter().map(|step| step.batch).max().unwrap_or(1),
    ]
    .map(f64::from);
    let factor = (largest / first).powf(1.0 / f64::from(MOST_STAGES - 1)).max(1.0 + 1e-9);
    let mut stages = Vec::new();
    // Of the present stage: where it began, the size of its first step, its steps.
    let (mut start, mut size, mut steps) = (0, first, 0);
    let mut seen = 0;
    for step in &course.steps {
        let batch = f64::from(step.batch);
        if steps > 0 && batch >= size * factor {
            stages.push((start, mean(seen - start, steps)));
            (start, size, steps) = (seen, batch, 0);
        }
        steps += 1;
        seen = step.samples;
    }
    stages.push((start, mean(seen - start, steps)));
    stages.iter().map(|(start, size)| format!("{start}:{size}")).collect::<Vec<_>>().join(" ")
}

fn mean(samples: u64, steps: u64) -> u64 {
    (samples as f64 / steps.max(1) as f64).round().max(1.0) as u64
}

#[cfg(test)]
mod tests {
    use adadagrad_core::controller::StageList;

    use super::super::quantity::tests::course_of;
    use super::*;

    #[test]
    fn stages_keep_samples_and_steps_and_are_no_more_than_allowed() {
        assert_eq!(schedule(&course_of(&[8, 8, 8, 64, 64, 512])), "0:8 24:64 152:512");
        assert_eq!(schedule(&course_of(&[32, 32, 32])), "0:32");
        let growing: Vec<u32> = (0..400).map(|step| 8 + step * step / 10).collect();
        let course = course_of(&growing);
        let text = schedule(&course);
        let list: StageList = text.parse().expect("at most twelve stages");
        let (mut seen, mut steps) = (0, 0);
        while seen < course.samples() {
            seen += u64::from(list.size_after(seen));
            steps += 1;
        }
        assert!((380..=420).contains(&steps), "{steps} steps from {text}");
    }
}

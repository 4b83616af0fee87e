//! A look through the whole test set with the parameters of one moment, in slices of time.

use adadagrad_core::backend::FastBackend;
use adadagrad_core::dataset::Dataset;
use adadagrad_core::owned::{Confusion, Prediction, Predictor, RunError};
use adadagrad_gpu::dataset::Images;
use serde::Serialize;

/// Samples between two looks at the clock.
const AT_ONCE: u32 = 16;
/// How many mistakes are told.
const MOST_MISTAKES: usize = 24;

pub(crate) struct Looking {
    step: u64,
    parameters: Vec<f32>,
    /// The sample that is looked at next.
    next: u32,
    confusion: Confusion,
    mistakes: Vec<Mistake>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Mistake {
    pub(crate) sample: u32,
    label: u32,
    predicted: u32,
    probability: f32,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Look {
    step: u64,
    samples: u32,
    correct: u32,
    confusion: Vec<u32>,
    mistakes: Vec<Mistake>,
}

impl Looking {
    /// `step`: after which the parameters are these, in the predictor's own order.
    pub(crate) fn new(step: u64, parameters: Vec<f32>, classes: usize) -> Self {
        Self { step, parameters, next: 0, confusion: Confusion::new(classes), mistakes: Vec::new() }
    }

    pub(crate) const fn step(&self) -> u64 {
        self.step
    }

    /// Looks at the next samples. What was seen, once there are no more.
    pub(crate) fn advance(
        &mut self,
        predictor: &mut Predictor<f32, FastBackend>,
        test: &Images,
    ) -> Result<Option<Look>, RunError> {
        let samples = Dataset::<f32>::len(test);
        let end = samples.min(self.next.saturating_add(AT_ONCE.min(predictor.capacity())));
        let Self { parameters, next, confusion, mistakes, .. } = self;
        predictor.predict(
            parameters,
            test,
            *next..end,
            |sample, Prediction { outputs, probabilities }| {
                let label = test.label(sample).map_or(u32::MAX, u32::from);
                let predicted = confusion.add(label, outputs);
                if predicted != label {
                    let probability = probabilities.get(predicted as usize).copied().unwrap_or_default();
                    keep(mistakes, Mistake { sample, label, predicted, probability });
                }
            },
        )?;
        *next = end;
        Ok((end == samples).then(|| self.look(samples)))
    }

    fn look(&self, samples: u32) -> Look {
        let rows = self.confusion.rows().enumerate();
        Look {
            step: self.step,
            samples,
            correct: rows.filter_map(|(class, row)| row.get(class)).sum(),
            confusion: self.confusion.rows().flatten().copied().collect(),
            mistakes: self.mistakes.clone(),
        }
    }
}

/// Keeps the most confident ones, those first; of equal ones the earlier.
fn keep(mistakes: &mut Vec<Mistake>, mistake: Mistake) {
    let place = mistakes.partition_point(|kept| kept.probability >= mistake.probability);
    if place < MOST_MISTAKES {
        mistakes.insert(place, mistake);
        mistakes.truncate(MOST_MISTAKES);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_precision_loss)]
mod tests {
    use adadagrad_core::dataset::SampleShape;
    use adadagrad_core::images::LabelledImages;
    use adadagrad_core::model::Model;
    use adadagrad_core::owned::{Advance, LocalRun, OwnedNetwork};

    use super::*;

    const SAMPLES: u32 = 100;

    /// Bars whose place is their class, some of them labelled wrongly.
    fn images() -> Images {
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, 100, 0, 0, 0, 28, 0, 0, 0, 28];
        let mut labels = vec![0, 0, 8, 1, 0, 0, 0, 100];
        for sample in 0..SAMPLES {
            let class = sample % 10;
            let bar = |pixel: u32| if pixel % 28 / 2 == class { 200 } else { (pixel * sample % 7) as u8 };
            images.extend((0..784).map(bar));
            labels.push(if sample % 9 == 0 { (class as u8 + 3) % 10 } else { class as u8 });
        }
        LabelledImages::parse(images.into(), labels.into(), [28, 28], 10).unwrap()
    }

    #[test]
    fn a_look_agrees_with_the_measurement_and_tells_the_most_confident_mistakes() {
        let config = adadagrad_core::config::RunConfig {
            model: Model::Logistic,
            max_batch: 50,
            sample_budget: 2000,
            ..Default::default()
        };
        let images = images();
        let mut run = LocalRun::new(
            config,
            OwnedNetwork::of_model(config.model, SampleShape::MNIST).unwrap(),
            SAMPLES,
            FastBackend,
        )
        .unwrap();
        while run.advance(&images).unwrap() != Advance::Finished {}
        run.begin_evaluation(&images);
        let evaluation = loop {
            if let Some(evaluation) = run.advance_evaluation(&images).unwrap() {
                break evaluation;
            }
        };
        let mut predictor =
            Predictor::new(OwnedNetwork::of_model(config.model, SampleShape::MNIST).unwrap(), FastBackend)
                .unwrap();
        let mut looking = Looking::new(7, predictor.in_own_order(&run.parameters()).unwrap(), 10);
        let mut calls = 1;
        let look = loop {
            match looking.advance(&mut predictor, &images).unwrap() {
                Some(look) => break look,
                None => calls += 1,
            }
        };
        assert_eq!(calls, 7, "in slices of 16 samples");
        assert_eq!((look.step, look.samples), (7, SAMPLES));
        assert!((evaluation.accuracy - f64::from(look.correct) / 100.0).abs() < 1e-12);
        assert_eq!(look.confusion.iter().sum::<u32>(), SAMPLES);
        let wrong = (SAMPLES - look.correct) as usize;
        assert!((5..50).contains(&wrong), "{wrong} mistakes are no test");
        assert_eq!(look.mistakes.len(), wrong.min(MOST_MISTAKES));
        assert!(look.mistakes.is_sorted_by(|a, b| a.probability >= b.probability));
        for mistake in &look.mistakes {
            assert_eq!(mistake.label, u32::from(images.label(mistake.sample).unwrap()));
            assert_ne!(mistake.label, mistake.predicted);
            assert!(mistake.probability > 0.1 && mistake.probability <= 1.0, "{mistake:?}");
        }
    }

    #[test]
    fn of_many_mistakes_the_most_confident_are_kept() {
        let mut kept = Vec::new();
        for sample in 0..60_u32 {
            let probability = (sample * 37 % 60) as f32 / 60.0;
            keep(&mut kept, Mistake { sample, label: 0, predicted: 1, probability });
        }
        let found: Vec<_> = kept.iter().map(|mistake| (mistake.probability * 60.0).round() as u32).collect();
        assert_eq!(found, (36..60).rev().collect::<Vec<_>>());
    }
}

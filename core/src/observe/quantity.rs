use crate::batch_test::AnyTest;
use crate::config::RunConfig;
use crate::controller::AnyController;
#[cfg(feature = "checkpoint")]
use crate::controller::AnyState;
use crate::noise_scale::Sensor;
use crate::settings::Choices;
use crate::statistics::Needs;

/// What can be observed: a batch-size test, a noise scale, or a rule, by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantity(u8);

/// The noise scales by name.
const NOISE_SCALES: [(&str, Sensor); 3] = [
    ("noise_scale", Sensor::Plain),
    ("noise_scale_preconditioned", Sensor::Preconditioned),
    ("noise_scale_sign", Sensor::Sign),
];

/// What measures a quantity in a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Measure {
    Test(AnyTest),
    Noise(Sensor),
    Rule(AnyController),
}

/// In the order of [`Quantity`]: tests, noise scales, and rules but for the constant batch, which wants no size.
fn names() -> impl Iterator<Item = &'static str> {
    let rules = AnyController::CHOICES.iter().map(|choice| choice.name);
    let rules = rules.filter(|name| !matches!(AnyController::named(name), Some(AnyController::Constant(_))));
    AnyTest::CHOICES.iter().map(|choice| choice.name).chain(NOISE_SCALES.map(|(name, _)| name)).chain(rules)
}

impl Quantity {
    pub(super) const FIRST: Self = Self(0);

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).map(Self).zip(names()).map(|(quantity, _)| quantity)
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().zip(names()).find(|(_, known)| *known == name).map(|(quantity, _)| quantity)
    }

    /// Its name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        names().nth(self.0.into()).unwrap_or_default()
    }

    /// With its default settings, or with the run's where that has the same test or rule.
    pub(crate) fn in_run(self, config: &RunConfig) -> Measure {
        let name = self.name();
        if let Some(test) = AnyTest::named(name) {
            return Measure::Test(config.test.filter(|own| own.name() == name).unwrap_or(test));
        }
        if let Some(&(_, sensor)) = NOISE_SCALES.iter().find(|(known, _)| *known == name) {
            return Measure::Noise(sensor);
        }
        let own = Some(config.controller).filter(|own| own.name() == name);
        let rule = own.or_else(|| AnyController::named(name));
        rule.map_or(Measure::Noise(Sensor::Plain), Measure::Rule)
    }
}

impl Quantity {
    /// Whether this may be what a run remembers of the quantity's rule.
    #[cfg(feature = "checkpoint")]
    pub(crate) fn remembers(self, config: &RunConfig, state: &AnyState<f64>) -> bool {
        match self.in_run(config) {
            Measure::Rule(rule) => state.is_of(&rule),
            Measure::Test(_) | Measure::Noise(_) => state.is_none(),
        }
    }
}

impl Measure {
    /// What an engine must compute for it: no other parts than the batch has anyway, and no extension.
    pub(crate) fn needs(&self) -> Needs {
        let needs = match self {
            Self::Test(test) => test.needs(),
            Self::Noise(sensor) => sensor.needs(),
            Self::Rule(rule) => rule.needs(),
        };
        Needs { parts: u32::from(needs.compares_parts()), halves: false, extends: false, ..needs }
    }
}

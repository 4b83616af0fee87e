//! The parts of a run description that are chosen by name, as the command line has them. Their names, flags, help texts
//! and types are read off the core's table of settings, so that a new one needs no line here.

use std::error::Error;
use std::marker::PhantomData;
use std::sync::LazyLock;

use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::AnyController;
use adadagrad_core::optimizer::AnyOptimizer;
use adadagrad_core::schedule::Decay;
use adadagrad_core::settings::{Choice, Choices, DefaultValue, Field, Range, Settings};
use adadagrad_core::text::TextSettings;
use clap::builder::{
    BoolValueParser, PossibleValue, PossibleValuesParser, StyledStr, TypedValueParser, ValueParser,
};
use clap::parser::MatchesError;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::usage::Usage;
use crate::values::{number, whole};

/// A part that is chosen by name.
pub(crate) trait Part: Choices + Serialize + DeserializeOwned + Send + Sync {
    /// The flag that names it.
    const FLAG: &'static str;
    /// Where a run description has it.
    const PLACE: &'static str;
    const HEADING: &'static str;
    const HELP: &'static str;
    /// What flags of settings begin with, where the table has none for them.
    const PREFIX: &'static str = "";
    /// The name for none at all, and what that means.
    const NONE: Option<[&'static str; 2]> = None;
}

impl Part for AnyTest {
    const FLAG: &'static str = "test";
    const PLACE: &'static str = "test";
    const HEADING: &'static str = "Batch size";
    const HELP: &'static str = "The test that determines the next batch size";
    const NONE: Option<[&'static str; 2]> = Some([
        "none",
        "No test: the batch size is constant, unless --controller names a rule that needs no test",
    ]);
}

impl Part for AnyController {
    const FLAG: &'static str = "controller";
    const PLACE: &'static str = "controller";
    const HEADING: &'static str = "Batch size";
    const HELP: &'static str = "The rule for the next batch size. Only adadagrad needs a test; with --test none the \
                                default is constant";
    const PREFIX: &'static str = "controller-";
}

impl Part for AnyOptimizer {
    const FLAG: &'static str = "optimizer";
    const PLACE: &'static str = "optimizer";
    const HEADING: &'static str = "Optimizer";
    const HELP: &'static str = "The optimizer, with PyTorch's semantics and defaults";
}

impl Part for Decay {
    const FLAG: &'static str = "decay";
    const PLACE: &'static str = "schedule.decay";
    const HEADING: &'static str = "Learning-rate schedule";
    const HELP: &'static str = "Decay of the learning rate after the warm-up";
}

/// A flag for a setting of one or several choices of a part.
struct SettingFlag {
    long: String,
    /// The part's place in a run description.
    place: &'static str,
    /// The setting, as each choice that has it describes it.
    takers: Vec<(&'static Choice, &'static Field)>,
}

/// All of them.
static FLAGS: LazyLock<Vec<SettingFlag>> = LazyLock::new(|| {
    let mut flags = Vec::new();
    add_flags::<AnyTest>(&mut flags);
    add_flags::<AnyOptimizer>(&mut flags);
    add_flags::<Decay>(&mut flags);
    add_flags::<AnyController>(&mut flags);
    flags
});

fn add_flags<T: Part>(flags: &mut Vec<SettingFlag>) {
    for (choice, field) in
        T::CHOICES.iter().flat_map(|choice| choice.fields.iter().map(move |field| (choice, field)))
    {
        let long = if field.flag.is_empty() {
            format!("{}{}", T::PREFIX, field.name.replace('_', "-"))
        } else {
            field.flag.to_owned()
        };
        match flags.iter_mut().find(|flag| flag.long == long) {
            Some(flag) => flag.takers.push((choice, field)),
            None => flags.push(SettingFlag { long, place: T::PLACE, takers: vec![(choice, field)] }),
        }
    }
}

/// The flag of a part's setting.
pub(crate) fn flag_of(place: &str, field: &str) -> Option<&'static str> {
    let flag = FLAGS.iter().find(|flag| flag.place == place && flag.field().name == field)?;
    Some(&flag.long)
}

impl SettingFlag {
    /// The setting, as its first choice describes it.
    fn field(&self) -> &'static Field {
        self.takers[0].1
    }

    /// As clap takes it. `first` says where a value comes from before the default does.
    fn argument<T: Part>(&self, first: &str) -> Arg {
        let field = self.field();
        let argument = Arg::new(self.long.clone())
            .long(self.long.clone())
            .help(self.help(first))
            .help_heading(T::HEADING)
            .value_parser(parser(field));
        match field.default {
            DefaultValue::Switch(_) => {
                argument.value_name("BOOL").num_args(0..=1).default_missing_value("true")
            }
            _ if field.placeholder.is_empty() => {
                argument.value_name(self.long.replace('-', "_").to_uppercase())
            }
            _ => argument.value_name(field.placeholder),
        }
    }

    /// Who takes it, what it does, what it may be, and what it is by default.
    fn help(&self, first: &str) -> StyledStr {
        let mut descriptions: Vec<(String, Vec<&str>)> = Vec::new();
        let mut defaults: Vec<(String, Vec<&str>)> = Vec::new();
        for (choice, field) in &self.takers {
            let range = if field.range == Range::Any { String::new() } else { format!(", {}", field.range) };
            add(
                &mut descriptions,
                within_sentence(&format!("{}{range}", without_stop(field.doc))),
                choice.name,
            );
            add(&mut defaults, field.default.to_string(), choice.name);
        }
        let descriptions: Vec<_> =
            descriptions.iter().map(|(text, names)| format!("{}: {text}", names.join(", "))).collect();
        let defaults: Vec<_> = match defaults.as_slice() {
            [(text, _)] => vec![text.clone()],
            several => several.iter().map(|(text, names)| format!("{text} ({})", names.join(", "))).collect(),
        };
        ascii(&format!("{} [default: {first}{}]", descriptions.join("; "), defaults.join(", "))).into()
    }
}

/// The help of a setting of the run's own.
pub(crate) fn help_of(name: &str) -> StyledStr {
    let mut rows = RunConfig::ABOUT.fields.iter().chain(TextSettings::ABOUT.fields);
    let row = rows.find(|row| row.name == name);
    let words = |row: &Field| {
        let default = row.default.to_string();
        let default = if default.is_empty() { "none" } else { &default };
        ascii(&format!("{} [default: {default}]", without_stop(row.doc)))
    };
    row.map(words).unwrap_or_default().into()
}

/// Adds a name to those that have this text.
fn add<'a>(texts: &mut Vec<(String, Vec<&'a str>)>, text: String, name: &'a str) {
    match texts.iter_mut().find(|(known, _)| *known == text) {
        Some((_, names)) => names.push(name),
        None => texts.push((text, vec![name])),
    }
}

/// From a flag's value to what a file would hold.
fn parser(field: &Field) -> ValueParser {
    match field.default {
        DefaultValue::Number(_) | DefaultValue::Optional(_) => {
            ValueParser::new(|text: &str| number(text).map(Value::from))
        }
        DefaultValue::Size(_) => ValueParser::new(|text: &str| whole::<u32>(text).map(Value::from)),
        DefaultValue::Count(_) => ValueParser::new(|text: &str| whole::<u64>(text).map(Value::from)),
        DefaultValue::Switch(_) => BoolValueParser::new().map(Value::from).into(),
        DefaultValue::Text(_) if field.texts.is_empty() => {
            ValueParser::new(|text: &str| Ok::<_, String>(Value::from(text)))
        }
        DefaultValue::Text(_) => {
            PossibleValuesParser::new(field.texts.iter().copied()).map(Value::from).into()
        }
    }
}

/// What was chosen by name, with its default settings; `None` is the choice of none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Chosen<T>(pub(crate) Option<T>);

/// A part's choices by name.
pub(crate) fn choice_parser<T: Part>() -> impl TypedValueParser<Value = Chosen<T>> {
    let named = T::CHOICES.iter().map(|choice| (choice.name, ascii(without_stop(choice.doc))));
    let none = T::NONE.map(|[name, help]| (name, help.to_owned()));
    let values = named.chain(none).map(|(name, help)| {
        let value = PossibleValue::new(name).help(help);
        if name.contains('_') { value.alias(name.replace('_', "-")) } else { value }
    });
    PossibleValuesParser::new(values).map(|name: String| Chosen(T::named(&name.replace('-', "_"))))
}

/// One of several words, as settings have it.
pub(crate) fn word_parser<T>(words: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    let values = words.iter().map(|&word| {
        let value = PossibleValue::new(word);
        if word.contains('_') { value.alias(word.replace('_', "-")) } else { value }
    });
    PossibleValuesParser::new(values)
        .try_map(|word: String| serde_json::from_value::<T>(Value::from(word.replace('-', "_"))))
}

/// Flags that were given, in the order of the table: the flag, its setting, and the value.
type Given = Vec<(&'static str, &'static str, Value)>;

/// The flags of a part's settings that were given.
fn given<T: Part>(matches: &ArgMatches) -> Result<Given, clap::Error> {
    let own = FLAGS.iter().filter(|flag| flag.place == T::PLACE);
    let given = own.filter_map(|flag| {
        let value = found::<Value>(matches, &flag.long).transpose()?;
        Some(value.map(|value| (flag.long.as_str(), flag.field().name, value)))
    });
    given.collect()
}

/// What is wrong with a setting, with the flag that was given instead of its name.
fn about_flag(given: &Given, error: &str) -> String {
    let renamed = given.iter().find_map(|(flag, field, _)| {
        Some(format!("--{flag}: {}", error.strip_prefix(field)?.strip_prefix(": ")?))
    });
    renamed.unwrap_or_else(|| error.to_owned())
}

/// What was given on the command line of a part.
#[derive(Debug)]
pub(crate) struct PartArguments<T> {
    named: Option<Chosen<T>>,
    given: Given,
}

impl<T> Default for PartArguments<T> {
    fn default() -> Self {
        Self { named: None, given: Vec::new() }
    }
}

impl<T: Part> PartArguments<T> {
    /// Whether anything was given.
    pub(crate) fn is_given(&self) -> bool {
        self.named.is_some() || !self.given.is_empty()
    }

    /// What was asked for by name.
    pub(crate) fn named(&self) -> Option<Chosen<T>> {
        self.named
    }

    /// With the settings of a part that there always is: see [`Self::over`].
    pub(crate) fn over_base(&self, base: T) -> Result<T, Box<dyn Error>> {
        self.over(base, self.named.and_then(|Chosen(part)| part))
    }

    /// Whether the flag of this setting was given.
    pub(crate) fn gives(&self, setting: &str) -> bool {
        self.given.iter().any(|(_, field, _)| *field == setting)
    }

    /// The first flag of a setting.
    pub(crate) fn first_flag(&self) -> Option<&'static str> {
        self.given.first().map(|(flag, ..)| *flag)
    }

    /// The settings of `base` where that is what was chosen, else those of `chosen`; over them the flags, which must be
    /// of settings that the choice has.
    pub(crate) fn over(&self, base: T, chosen: Option<T>) -> Result<T, Box<dyn Error>> {
        let part = chosen.filter(|chosen| chosen.name() != base.name()).unwrap_or(base);
        let mut value = serde_json::to_value(part)?;
        for (flag, field, setting) in &self.given {
            match value.get_mut(field) {
                Some(place) => *place = setting.clone(),
                None => return Err(Usage(Self::not_its_own(flag, &part)).into()),
            }
        }
        Ok(serde_json::from_value(value)
            .map_err(|error| Usage(about_flag(&self.given, &error.to_string())))?)
    }

    fn not_its_own(flag: &str, part: &T) -> String {
        let own = part.fields().iter().filter_map(|field| flag_of(T::PLACE, field.name));
        let own: Vec<_> = own.map(|flag| format!("--{flag}")).collect();
        let takes = if own.is_empty() { "no settings".to_owned() } else { own.join(", ") };
        format!("--{flag} does not belong to --{} {}, which takes {takes}", T::FLAG, part.name())
    }
}

impl<T: Part> Args for PartArguments<T> {
    fn augment_args(command: Command) -> Command {
        let choice = Arg::new(T::FLAG)
            .long(T::FLAG)
            .value_name(T::FLAG.to_uppercase())
            .value_parser(choice_parser::<T>())
            .help(T::HELP)
            .help_heading(T::HEADING);
        let settings = FLAGS.iter().filter(|flag| flag.place == T::PLACE);
        settings.fold(command.arg(choice), |command, flag| command.arg(flag.argument::<T>("")))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<T: Part> FromArgMatches for PartArguments<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { named: found(matches, T::FLAG)?, given: given::<T>(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Flags for the settings of all choices of a part at once.
#[derive(Debug)]
pub(crate) struct EveryChoice<T> {
    given: Given,
    part: PhantomData<T>,
}

impl<T: Part> EveryChoice<T> {
    /// Every choice: its settings from the flags, else from `loaded` by their names, else its defaults.
    pub(crate) fn all(&self, loaded: impl Fn(&str) -> Option<Value>) -> Result<Vec<T>, Box<dyn Error>> {
        let names = T::CHOICES.iter().filter_map(|choice| T::named(choice.name));
        names
            .map(|part| {
                let mut settings = serde_json::to_value(part)?;
                for field in part.fields() {
                    let flag = self.given.iter().find(|(_, setting, _)| *setting == field.name);
                    let value = flag.map(|(.., value)| value.clone()).or_else(|| loaded(field.name));
                    if let (Some(place), Some(value)) = (settings.get_mut(field.name), value) {
                        *place = value;
                    }
                }
                let part = serde_json::from_value(settings);
                Ok(part.map_err(|error| Usage(about_flag(&self.given, &error.to_string())))?)
            })
            .collect()
    }
}

impl<T: Part> Args for EveryChoice<T> {
    fn augment_args(command: Command) -> Command {
        let settings = FLAGS.iter().filter(|flag| flag.place == T::PLACE);
        settings.fold(command, |command, flag| {
            command
                .arg(flag.argument::<T>("that of the run in --load, otherwise ").help_heading(None::<&str>))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<T: Part> FromArgMatches for EveryChoice<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { given: given::<T>(matches)?, part: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The value of an argument, if it was given.
fn found<V: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Result<Option<V>, clap::Error> {
    matches.try_get_one::<V>(id).map(|value| value.cloned()).map_err(|error: MatchesError| {
        clap::Error::raw(clap::error::ErrorKind::InvalidValue, error.to_string())
    })
}

fn without_stop(sentence: &str) -> &str {
    sentence.strip_suffix('.').unwrap_or(sentence)
}

/// A sentence as a clause: an acronym keeps its capitals.
fn within_sentence(sentence: &str) -> String {
    let mut characters = sentence.chars();
    match (characters.next(), characters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => sentence.to_owned(),
    }
}

/// Formulas as every terminal shows them.
fn ascii(text: &str) -> String {
    const WORDS: [(&str, &str); 17] = [
        ("η", "eta"),
        ("ϑ", "theta"),
        ("θ", "theta"),
        ("ν", "nu"),
        ("α", "alpha"),
        ("β₁", "beta1"),
        ("β₂", "beta2"),
        ("β", "beta"),
        ("δ", "delta"),
        ("²", "^2"),
        ("≤", "<="),
        ("≥", ">="),
        ("←", "<-"),
        ("−", "-"),
        ("×", "x"),
        ("‖", "|"),
        ("√", "root of "),
    ];
    WORDS.iter().fold(text.to_owned(), |text, (symbol, word)| text.replace(symbol, word))
}

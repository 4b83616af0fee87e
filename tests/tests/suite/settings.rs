//! Optimizers, tests, controllers and decays as files hold them: everything that can be written is read back, what is
//! wrong is named, and the table of settings says what the structs hold.

use adadagrad_core::augmentation::Augmentation;
use adadagrad_core::batch_test::{AnyTest, NormTest};
use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::controller::{AdAdaGrad, AnyController, Constant};
use adadagrad_core::fields::Setting;
use adadagrad_core::json;
use adadagrad_core::optimizer::{AdaGrad, AnyOptimizer, Momentum};
use adadagrad_core::schedule::{Decay, Schedule};
use adadagrad_core::settings::{Choices, DefaultValue, Field, Range, Settings};
use adadagrad_core::text::TextSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn check_read_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(settings: &[T]) {
    for settings in settings {
        let text = serde_json::to_string(settings).unwrap();
        assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), settings, "{text}");
    }
}

#[test]
fn every_kind_is_read_back() {
    check_read_back(&AnyOptimizer::all());
    check_read_back(&AnyTest::all());
    check_read_back(&Decay::all());
    check_read_back(&AnyController::all());
    check_read_back(&[
        AnyController::Constant(Constant {}),
        AnyController::AdAdaGrad(AdAdaGrad { growth_cap: Some(1.5), ..AdAdaGrad::default() }),
    ]);
    check_read_back(&[AnyOptimizer::Momentum(Momentum { momentum: 0.25, weight_decay: 0.125 })]);
    check_read_back(&[Decay::Step { every_samples: u64::MAX, factor: 0.75 }]);
}

#[test]
fn what_is_left_out_has_its_default_and_integers_are_numbers() {
    let read: AnyOptimizer = serde_json::from_str(r#"{"weight_decay": 1, "name": "adagrad"}"#).unwrap();
    assert_eq!(read, AnyOptimizer::AdaGrad(AdaGrad { weight_decay: 1.0, ..AdaGrad::default() }));
    assert_eq!(serde_json::from_str::<Decay>(r#"{"name": "step"}"#).unwrap(), Decay::step());
}

fn message<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
    serde_json::from_str::<T>(text).unwrap_err().to_string()
}

#[test]
fn what_is_wrong_is_named() {
    for (text, expected) in [
        (r#"{"beta1": 0.5}"#, "name is missing"),
        (r#"{"name": 3}"#, "name is 3, but must be a string"),
        (r#"{"name": "adamx"}"#, "name is \"adamx\", but must be one of sgd, "),
        (
            r#"{"name": "momentum", "beta": 1}"#,
            "beta is not a valid field; valid fields: momentum, weight_decay",
        ),
        (r#"{"name": "adam", "beta1": "x"}"#, "beta1 is \"x\", but must be a number"),
        (r#"{"name": "adam", "beta1": null}"#, "beta1 is null, but must be a number"),
        (r#"{"name": "adam", "beta1": [1]}"#, "beta1 is a list, but must be a number"),
        (r#"{"name": "adam", "beta1": {}}"#, "beta1 is an object, but must be a number"),
        (r#"{"name": "adam", "beta1": 0.5, "beta1": 0.5}"#, "beta1 appears twice"),
        (r#""adam""#, "it is \"adam\", but must be an object with a name"),
    ] {
        let found = message::<AnyOptimizer>(text);
        assert!(found.starts_with(expected), "{text}: {found}");
    }
    for (text, expected) in [
        (r#"{"name": "norm", "debiased": 1}"#, "debiased is 1, but must be true or false"),
        (
            r#"{"name": "worker_norm", "workers": -1}"#,
            "workers is -1, but must be a whole number from 0 to 4294967295",
        ),
        (r#"{"name": "worker_norm", "workers": 4294967296}"#, "workers is 4294967296, but must be a whole"),
        (r#"{"name": "worker_norm", "workers": 1.5}"#, "workers is 1.5, but must be a whole number from 0"),
        (r#"{"name": "worker_norm", "workers": 4.0}"#, "workers is 4.0, but must be a whole number from 0"),
    ] {
        let found = message::<AnyTest>(text);
        assert!(found.starts_with(expected), "{text}: {found}");
    }
    let found = message::<Decay>(r#"{"name": "constant", "factor": 1}"#);
    assert!(found.starts_with("factor is not a valid field; there are none"), "{found}");
    let found = message::<Decay>(r#"{"name": "step", "every_samples": -5}"#);
    let expected = "every_samples is -5, but must be a whole number from 0 to 9007199254740991";
    assert!(found.starts_with(expected), "{found}");
}

/// From text, the place is the whole path, and every number is the one that is written.
#[test]
fn what_is_wrong_with_a_text_is_named_by_its_path() {
    let long = "x".repeat(100);
    for (text, expected) in [
        (
            r#"{"optimizer": {"name": "adam", "beta1": "x"}}"#,
            "optimizer.beta1 is \"x\", but must be a number",
        ),
        (r#"{"optimizer": {"name": "adamx"}}"#, "optimizer.name is \"adamx\", but must be one of sgd, "),
        (
            r#"{"schedule": {"decay": {"name": "step", "factor": true}}}"#,
            "schedule.decay.factor is true, but must",
        ),
        (r#"{"test": {"eta": 0.5}}"#, "test.name is missing"),
        (r#"{"test": {"name": "norm", "eta": 1e400}}"#, "test.eta is 1e400, which is too large"),
        (
            r#"{"learning_rate": 1e-400}"#,
            "learning_rate is 1e-400, which is too small: it would be rounded to 0",
        ),
        (r#"{"model": "CNN"}"#, "model is \"CNN\", but must be one of logistic, mlp, "),
        (r#"{"model": 3}"#, "model is 3, but must be one of logistic, mlp, "),
        (
            r#"{"model": "resnet-20-16"}"#,
            "model is \"resnet-20-16\", but must be resnet-20, as this model is written",
        ),
        (r#"{"observe": "norm cab"}"#, "observe: \"norm cab\": entry 2 is not the name of a test, "),
        (
            r#"{"coupling": "half"}"#,
            "coupling is \"half\", but must be one of none, linear, sqrt, sde, half_life",
        ),
        (r#"{"seed": 1, "seed": 1}"#, "seed appears twice"),
        (r#"{"test": {"name": "norm", "eta": 1, "eta": 1}}"#, "test: eta appears twice"),
        ("{\"seed\": \"\u{fffd}\"}", "seed is \"\u{fffd}\", but must be a whole number"),
        (r#"{"seed": "\ud800"}"#, r#"seed is "\ud800", which cannot be read: "#),
        (&format!("{{\"seed\": \"{long}\"}}"), &format!("seed is \"{}…\", but must", &long[..60])),
        (
            &format!("{{\"{long}\": 1}}"),
            &format!("{}… is not a valid field; valid fields: version, ", &long[..60]),
        ),
        ("[]", "it is a list, but must be an object"),
        ("3", "it is 3, but must be an object"),
        ("", "not valid JSON: the text ends before a value at line 1 column 0"),
        (
            "{\n\"seed\": NaN}",
            "not valid JSON: expected value at line 2 column 9, in the line: \"seed\": NaN}",
        ),
        ("{} {}", "not valid JSON: trailing characters at line 1 column 4"),
        ("\u{feff}{}", "not valid JSON: expected value at line 1 column 1"),
    ] {
        let found = json::read::<RunConfig>(text).unwrap_err().to_string();
        assert!(found.starts_with(expected), "{text}: {found}");
    }
    for depth in [70, 100_000] {
        let deep = format!("{{\"seed\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
        let found = json::read::<RunConfig>(&deep).unwrap_err().to_string();
        assert!(found.contains("nested more than 64 deep"), "{depth}: {found}");
    }
}

/// What an object leaves out stays, unless its name makes it another one.
#[test]
fn a_text_can_be_read_over_settings() {
    let base = RunConfig {
        test: Some(AnyTest::Norm(NormTest { eta: 0.25, debiased: true })),
        ..Preset::Quick.config()
    };
    let over = |text: &str| {
        let mut config = base;
        config.read_over(json::parse(text).unwrap()).map(|()| config)
    };
    let eta = |eta, debiased| RunConfig { test: Some(AnyTest::Norm(NormTest { eta, debiased })), ..base };
    assert_eq!(over("{}").unwrap(), base);
    assert_eq!(over(r#"{"test": {"eta": 0.5}}"#).unwrap(), eta(0.5, true));
    assert_eq!(over(r#"{"test": {"eta": 0.5, "name": "norm"}}"#).unwrap(), eta(0.5, true));
    assert_eq!(over(r#"{"test": null}"#).unwrap(), RunConfig { test: None, ..base });
    let workers = AnyTest::named("worker_norm").unwrap();
    assert_eq!(
        over(r#"{"test": {"name": "worker_norm"}}"#).unwrap(),
        RunConfig { test: Some(workers), ..base }
    );
    let error = over(r#"{"test": {"workers": 4}}"#).unwrap_err().to_string();
    assert_eq!(error, "test.workers is not a valid field; valid fields: eta, debiased");
    let decayed = over(r#"{"schedule": {"decay": {"name": "step", "factor": 0.5}}}"#).unwrap().schedule;
    assert_eq!(decayed.warm_up_samples, base.schedule.warm_up_samples);
    assert!(matches!(decayed.decay, Decay::Step { factor: 0.5, .. }));
}

/// A row says what there is to say, and its default is allowed.
fn check_row(field: &Field, held: &Value) {
    let Field { name, title, doc, default, texts, range, .. } = *field;
    assert!(!title.is_empty() && !title.ends_with('.'), "{name}: {title}");
    assert!(doc.ends_with('.') && doc.starts_with(|first: char| !first.is_lowercase()), "{name}: {doc}");
    let (written, number) = match default {
        DefaultValue::Number(number) => (Value::from(number), Some(number)),
        DefaultValue::Optional(number) => (Value::from(number), number),
        DefaultValue::Size(number) => (Value::from(number), Some(number.into())),
        DefaultValue::Count(number) => (Value::from(number), Some(number as f64)),
        DefaultValue::Switch(is_on) => (Value::from(is_on), None),
        DefaultValue::Text(text) => (Value::from(text), None),
    };
    assert_eq!(&written, held, "{name}");
    assert!(number.is_none_or(|number| range.contains(number)), "{name}: {default} is not {range}");
    assert_eq!(
        matches!(default, DefaultValue::Switch(_) | DefaultValue::Text(_)),
        range == Range::Any,
        "{name}"
    );
    if let DefaultValue::Text(text) = default {
        assert!(texts.is_empty() || texts.contains(&text), "{name}: {text}");
    }
}

fn check_choices<T: Choices + Serialize + PartialEq + std::fmt::Debug>(all: &[T]) {
    assert_eq!(all.len(), T::CHOICES.len());
    for (part, choice) in all.iter().zip(T::CHOICES) {
        assert_eq!((T::named(choice.name), part.name()), (Some(*part), choice.name));
        assert!(!choice.title.is_empty() && choice.doc.ends_with('.'), "{choice:?}");
        let held = serde_json::to_value(part).unwrap();
        assert_eq!(held["name"], choice.name);
        assert_eq!(held.as_object().unwrap().len(), 1 + choice.fields.len(), "{held}");
        for (row, field) in choice.fields.iter().enumerate() {
            check_row(field, &held[field.name]);
            assert_eq!(part.number(row), held[field.name].as_f64(), "{}", field.name);
        }
        assert_eq!(part.number(choice.fields.len()), None);
        assert!(part.may_become(part));
    }
    // One flag sets the settings of one name in all of them: it must be of one type.
    let fields: Vec<_> = T::CHOICES.iter().flat_map(|choice| choice.fields).collect();
    for one in &fields {
        for other in fields.iter().filter(|other| other.name == one.name) {
            let types = [one, other].map(|field| std::mem::discriminant(&field.default));
            assert!(
                types[0] == types[1] && one.flag == other.flag && one.texts == other.texts,
                "{}",
                one.name
            );
        }
    }
}

fn check_own<T: Settings + Default + Serialize>() {
    let held = serde_json::to_value(T::default()).unwrap();
    for (row, field) in T::ABOUT.fields.iter().enumerate() {
        check_row(field, &held[field.name]);
        assert_eq!(T::default().number(row), held[field.name].as_f64(), "{}", field.name);
    }
}

#[test]
fn the_table_says_what_the_structs_hold() {
    check_choices(&AnyOptimizer::all());
    check_choices(&AnyTest::all());
    check_choices(&AnyController::all());
    check_choices(&Decay::all());
    check_own::<Schedule>();
    check_own::<Augmentation>();
    check_own::<TextSettings>();
    check_own::<RunConfig>();
    assert_eq!(AnyOptimizer::named("adamx"), None);
}

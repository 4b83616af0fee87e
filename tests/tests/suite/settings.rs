//! Optimizers, tests, controllers and decays as files hold them: everything that can be written is read back, what is
//! wrong is named, and the table of settings says what the structs hold.

use adadagrad_core::augmentation::Augmentation;
use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::{AdAdaGrad, AnyController, Constant};
use adadagrad_core::optimizer::{AdaGrad, AnyOptimizer, Momentum};
use adadagrad_core::schedule::{Decay, Schedule};
use adadagrad_core::settings::{Choices, DefaultValue, Field, Range, Settings};
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
        (r#"{"beta1": 0.5}"#, "missing field `name`"),
        (r#"{"name": 3}"#, "name: invalid type: integer `3`, expected a text"),
        (r#"{"name": "adamx"}"#, "unknown variant `adamx`, expected one of `sgd`, `momentum`, "),
        (r#"{"name": "momentum", "beta": 1}"#, "unknown field `beta`, expected `momentum` or `weight_decay`"),
        (r#"{"name": "adam", "beta1": "x"}"#, "beta1: invalid type: string \"x\", expected f64"),
        (r#"{"name": "adam", "beta1": null}"#, "beta1: invalid type: unit value, expected f64"),
        (r#"{"name": "adam", "beta1": [1]}"#, "beta1: invalid type: sequence, expected f64"),
        (r#"{"name": "adam", "beta1": 0.5, "beta1": 0.5}"#, "duplicate field `beta1`"),
        (r#""adam""#, "invalid type: string \"adam\", expected settings by name"),
    ] {
        let found = message::<AnyOptimizer>(text);
        assert!(found.starts_with(expected), "{text}: {found}");
    }
    for (text, expected) in [
        (r#"{"name": "norm", "debiased": 1}"#, "debiased: invalid type: integer `1`, expected a boolean"),
        (r#"{"name": "worker_norm", "workers": -1}"#, "workers: invalid value: integer `-1`, expected u32"),
        (
            r#"{"name": "worker_norm", "workers": 4294967296}"#,
            "workers: invalid value: integer `4294967296`, expected u32",
        ),
        (
            r#"{"name": "worker_norm", "workers": 1.5}"#,
            "workers: invalid type: floating point `1.5`, expected u32",
        ),
    ] {
        let found = message::<AnyTest>(text);
        assert!(found.starts_with(expected), "{text}: {found}");
    }
    let found = message::<Decay>(r#"{"name": "constant", "factor": 1}"#);
    assert!(found.starts_with("unknown field `factor`, there are no fields"), "{found}");
    let found = message::<Decay>(r#"{"name": "step", "every_samples": -5}"#);
    assert!(found.starts_with("every_samples: invalid value: integer `-5`, expected u64"), "{found}");
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
    check_own::<RunConfig>();
    assert_eq!(AnyOptimizer::named("adamx"), None);
}

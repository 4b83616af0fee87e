//! Optimizers, tests, controllers and decays as files hold them: everything that can be written is read back, and what is wrong is named.

use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::controller::{AdAdaGrad, AnyController, Constant};
use adadagrad_core::optimizer::{AdaGrad, AnyOptimizer, Momentum};
use adadagrad_core::schedule::Decay;
use serde::Serialize;
use serde::de::DeserializeOwned;

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

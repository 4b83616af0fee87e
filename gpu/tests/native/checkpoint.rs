//! Checkpoints: what is written reads back exactly, PyTorch's layout, and errors for everything else.

use std::collections::HashMap;

use adadagrad_core::config::{Preset, RunConfig};
use adadagrad_core::controller::{AnyState, CabsState};
use adadagrad_core::dataset::SampleShape;
use adadagrad_core::digest::Digest;
use adadagrad_core::model::Model;
use adadagrad_core::optimizer::{AnyOptimizer, Betas, Shared};
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::owned::checkpoint::{self, Checkpoint, CheckpointError, STATE_VERSION, State};
use adadagrad_core::training::Progress;

fn state() -> State {
    // Numbers whose decimal forms need all their digits.
    let shared = Shared { steps: 7, sum_norm_sq: 0.1 + 0.2 + f64::EPSILON * 3.0, betas: None };
    State {
        version: STATE_VERSION,
        config: RunConfig {
            learning_rate: 0.1_f64.sqrt() / 3.0,
            seed: (1 << 53) - 1,
            ..Preset::Quick.config()
        },
        progress: Progress {
            steps: 7,
            samples_seen: (1 << 53) + 1,
            next_batch: 4096,
            shared,
            ..Progress::start(1)
        },
        training_samples: 60_000,
        training_data: Some(Digest(std::array::from_fn(|k| 7 * k as u8))),
        sample: None,
        network: None,
        encoding: None,
        vocabulary: None,
    }
}

fn values(len: usize, seed: f32) -> Vec<f32> {
    (0..len).map(|k| ((k as f32) * seed).sin()).collect()
}

/// Numbers as an optimizer's memory may have them.
fn squares(len: usize, seed: f32) -> Vec<f32> {
    values(len, seed).into_iter().map(f32::abs).collect()
}

fn logistic() -> Vec<u8> {
    let network = OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap();
    let len = network.view().parameters();
    checkpoint::write(network.view(), &values(len, 0.1), &squares(len, 0.2), &state()).unwrap()
}

#[test]
fn what_is_written_reads_back_to_the_bit() {
    for model in Model::MNIST {
        for slots in 0..3 {
            let network = OwnedNetwork::of_model(model, SampleShape::MNIST).unwrap();
            let len = network.view().parameters();
            let (parameters, memory) = (values(len, 0.1), squares(slots * len, 0.2));
            let bytes = checkpoint::write(network.view(), &parameters, &memory, &state()).unwrap();
            let read = checkpoint::read(&bytes).unwrap();
            assert_eq!(read.state().unwrap(), &state());
            assert_eq!(read.parameters(network.view()).unwrap(), parameters);
            assert_eq!(read.memory(network.view(), slots).unwrap(), memory);
            assert_eq!(bytes, checkpoint::write(network.view(), &parameters, &memory, &state()).unwrap());
        }
    }
}

/// `bn` in a name is as good as `norm`, but a name that is there as it is counts first.
#[test]
fn layers_of_equal_shapes_keep_their_names_whatever_those_are() {
    for names in [["z_bn", "a"], ["bn2", "bn1"], ["norm", "bn"], ["bn", "norm"]] {
        let dense = |name| format!(r#"{{"layer": "dense", "out_features": 784, "name": "{name}"}}"#);
        let text = format!(r#"[{{"layer": "flatten"}}, {}, {}]"#, dense(names[0]), dense(names[1]));
        let own = checkpoint::OwnNetwork::read(&text).unwrap();
        let shape = SampleShape { classes: 784, ..SampleShape::MNIST };
        let network = checkpoint::network_of(own.model(), Some(&own), shape).unwrap();
        let parameters = values(network.view().parameters(), 0.1);
        let bytes = checkpoint::write_parameters(network.view(), &parameters).unwrap();
        let read = checkpoint::read(&bytes).unwrap().parameters(network.view()).unwrap();
        assert!(read == parameters, "{names:?}");
    }
}

#[test]
fn names_and_shapes_are_those_of_torch() {
    let network = OwnedNetwork::of_model(Model::Cnn, SampleShape::MNIST).unwrap();
    let len = network.view().parameters();
    let bytes = checkpoint::write(network.view(), &values(len, 0.1), &squares(len, 0.2), &state()).unwrap();
    let tensors = checkpoint::read(&bytes).unwrap().tensors;
    let shapes: HashMap<_, _> = tensors.iter().map(|(name, t)| (name.as_str(), t.shape.as_slice())).collect();
    let mut expected = HashMap::new();
    let layers: [(&str, &[usize], &[usize]); 3] =
        [("0", &[16, 1, 5, 5], &[16]), ("3", &[32, 16, 5, 5], &[32]), ("7", &[10, 1568], &[10])];
    let names: Vec<_> = layers
        .iter()
        .flat_map(|(layer, weight, bias)| {
            ["", "optimizer.0."].map(|slot| {
                [(format!("{slot}{layer}.weight"), *weight), (format!("{slot}{layer}.bias"), *bias)]
            })
        })
        .flatten()
        .collect();
    expected.extend(names.iter().map(|(name, shape)| (name.as_str(), *shape)));
    assert_eq!(shapes, expected);
}

#[test]
fn a_file_cut_short_is_an_error() {
    let bytes = logistic();
    let lengths = (0..2000).chain((2000..bytes.len()).step_by(997)).chain([bytes.len() - 1]);
    for len in lengths {
        assert!(checkpoint::read(&bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
    }
    assert!(checkpoint::read(&[bytes, vec![0]].concat()).is_err());
}

#[test]
fn any_byte_may_be_wrong() {
    let bytes = logistic();
    let header = usize::try_from(u64::from_le_bytes(*bytes.first_chunk().unwrap())).unwrap() + 8;
    for position in 0..header {
        for wrong in [0, b'"', b'9', b'{', 0xff] {
            let mut bytes = bytes.clone();
            bytes[position] = wrong;
            // A digit in place of another may leave a sound file; a panic would fail the test.
            let _ = checkpoint::read(&bytes);
        }
    }
}

#[test]
fn what_a_header_names_twice_is_an_error() {
    let bias = r#""1.bias":{"dtype":"F32","shape":[10],"data_offsets":[0,40]}"#;
    // The second in other words: as another shape, and with its name in escapes.
    let other = r#""1.b\u0069as":{"dtype":"F32","shape":[2,5],"data_offsets":[0,40]}"#;
    for (header, name) in [
        (format!("{{{bias},{bias}}}"), "1.bias"),
        (format!("{{{bias},{other}}}"), "1.bias"),
        (format!(r#"{{"__metadata__":{{}},{bias},"__metadata__":{{}}}}"#), "__metadata__"),
        (
            format!(r#"{{"__metadata__":{{"adadagrad":"1","adadagrad":"2"}},{bias}}}"#),
            "__metadata__: adadagrad",
        ),
        (bias.replace(r#""shape":[10]"#, r#""shape":[10],"shape":[5,2]"#), "1.bias: shape"),
    ] {
        let header = if header.starts_with('{') { header } else { format!("{{{header}}}") };
        let error = checkpoint::read(&file(&header, 40)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("not a valid safetensors file: {name} appears twice"),
            "{header}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_header_is_said_with_its_place() {
    let of = |header: &str| checkpoint::read(&file(header, 40)).unwrap_err().to_string();
    let bias = |field: &str, value: &str| {
        let fields = [("dtype", "\"F32\""), ("shape", "[10]"), ("data_offsets", "[0,40]")];
        let fields =
            fields.map(|(name, usual)| format!("\"{name}\":{}", if name == field { value } else { usual }));
        format!("{{\"1.bias\":{{{}}}}}", fields.join(","))
    };
    for (header, words) in [
        ("[1]".to_owned(), "it is a list, but must be an object"),
        ("hello".to_owned(), "not valid JSON: expected value at line 1 column 1"),
        ("{\"1.bias\":3}".to_owned(), "1.bias is 3, but must be an object"),
        ("{\"1.bias\":{}}".to_owned(), "1.bias.dtype is missing"),
        ("{\"__metadata__\":3}".to_owned(), "__metadata__ is 3, but must be an object"),
        ("{\"__metadata__\":{\"a\":1}}".to_owned(), "__metadata__.a is 1, but must be a string"),
        (bias("dtype", "\"F31\""), "1.bias.dtype is \"F31\", but must be a safetensors type, such as F32"),
        (bias("shape", "[-1]"), "1.bias.shape.0 is -1, but must be a whole number from 0 to "),
        (bias("shape", "[1e400]"), "1.bias.shape.0 is 1e400, which is too large"),
        (bias("shape", "\"10\""), "1.bias.shape is \"10\", but must be a list"),
        (bias("data_offsets", "[0]"), "1.bias.data_offsets: it has 1 numbers, but must have 2"),
    ] {
        let said = of(&header);
        assert!(said.starts_with(&format!("not a valid safetensors file: {words}")), "{header}: {said}");
    }
    for (bytes, words) in [
        (&b"abc"[..], "the file has 3 bytes, but the length of its header alone takes 8"),
        (b"no model at all", "the first 8 bytes declare a header of "),
        (b"\x02\0\0\0\0\0\0\0\xff\xfe", "byte 0 of the header is not UTF-8 text"),
    ] {
        let said = checkpoint::read(bytes).unwrap_err().to_string();
        assert!(said.starts_with(&format!("not a valid safetensors file: {words}")), "{bytes:?}: {said}");
    }
}

/// A checkpoint with another state.
fn with_state(change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
    let bytes = logistic();
    let (len, rest) = bytes.split_first_chunk().unwrap();
    let (header, data) = rest.split_at(usize::try_from(u64::from_le_bytes(*len)).unwrap());
    let mut header: serde_json::Value = serde_json::from_slice(header).unwrap();
    let entry = &mut header["__metadata__"]["adadagrad"];
    let mut state = serde_json::from_str(entry.as_str().unwrap()).unwrap();
    change(&mut state);
    *entry = state.to_string().into();
    [&file(&header.to_string(), 0), data].concat()
}

#[test]
fn a_run_s_state_names_every_setting() {
    assert_eq!(checkpoint::read(&with_state(|_| {})).unwrap().state, Some(state()));
    for (path, name) in [
        ("", "seed"),
        ("", "dataset"),
        ("", "test"),
        ("/optimizer", "epsilon"),
        ("/test", "debiased"),
        ("/schedule", "decay"),
    ] {
        let error = checkpoint::read(&with_state(|state| {
            let parent = state["config"].pointer_mut(path).unwrap().as_object_mut().unwrap();
            parent.remove(name).unwrap();
        }));
        let field = format!("config{path}/{name}").replace('/', ".");
        let said = error.unwrap_err().to_string();
        assert!(said.contains(&format!("not a valid run state: {field} is missing")), "{said}");
    }
    // One that is younger than the version is that of a run from before it.
    for younger in ["parts", "text", "decay_on", "clip_norm"] {
        let older =
            with_state(|state| assert!(state["config"].as_object_mut().unwrap().remove(younger).is_some()));
        assert_eq!(checkpoint::read(&older).unwrap().state, Some(state()), "{younger}");
    }
    let error = checkpoint::read(&with_state(|state| state["config"] = serde_json::json!({})));
    assert!(error.unwrap_err().to_string().contains("state: config."));
}

#[test]
fn a_vocabulary_has_the_tokens_of_the_samples() {
    let sequences = |state: &mut serde_json::Value, vocabulary: &str| {
        state["sample"] = serde_json::json!({"channels": 1, "height": 1, "width": 4, "classes": 3});
        state["encoding"] = serde_json::json!({"tokens": {"vocabulary": 3}});
        state["vocabulary"] = serde_json::json!({"characters": vocabulary});
    };
    let read = checkpoint::read(&with_state(|state| sequences(state, "ab\u{e9}"))).unwrap().state.unwrap();
    assert_eq!(read.sample_shape(), SampleShape::tokens(4, 3));
    assert_eq!(read.vocabulary.unwrap().characters().as_deref(), Some("ab\u{e9}"));
    let other = with_state(|state| sequences(state, "ab"));
    let image = with_state(|state| state["vocabulary"] = "bytes".into());
    let rows = with_state(|state| {
        sequences(state, "abc");
        state["sample"]["height"] = 2.into();
    });
    for wrong in [other, image, rows] {
        let error = checkpoint::read(&wrong).unwrap_err().to_string();
        assert!(error.contains("the vocabulary does not fit the samples"), "{error}");
    }
}

/// A run that goes on without what it remembers would be another one.
#[test]
fn what_a_run_remembers_is_named_where_it_is_missing_or_of_something_else() {
    for path in [
        "progress.controller",
        "progress.learning_rate_scale",
        "progress.observed",
        "progress.shared.betas",
        "progress.steps",
        "progress.shared",
    ] {
        let (parent, name) = path.rsplit_once('.').unwrap();
        let parent = format!("/{}", parent.replace('.', "/"));
        let error = checkpoint::read(&with_state(|state| {
            state.pointer_mut(&parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        }));
        let said = error.unwrap_err().to_string();
        assert!(said.ends_with(&format!("is not a valid run state: {path} is missing")), "{path}: {said}");
    }
    // Files of version 2 left out what was as at the start.
    let older = with_state(|state| {
        state["version"] = 2.into();
        let progress = state["progress"].as_object_mut().unwrap();
        for name in ["controller", "learning_rate_scale", "observed"] {
            progress.remove(name).unwrap();
        }
        progress["shared"].as_object_mut().unwrap().remove("betas").unwrap();
    });
    assert_eq!(checkpoint::read(&older).unwrap().state, Some(State { version: 2, ..state() }));
    let average = |rule: serde_json::Value| serde_json::json!({ "average": { "numerator": 1.0, "denominator": 2.0 }, "rule": rule });
    let of = |change: &dyn Fn(&mut serde_json::Value)| match checkpoint::read(&with_state(change)) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    let observing = |state: &mut serde_json::Value, entries: serde_json::Value| {
        state["config"]["observe"] = "norm cabs".into();
        state["progress"]["observed"] = entries;
    };
    let (none, cabs) =
        (average("none".into()), average(serde_json::json!({ "cabs": { "xi": 1.0, "loss": 2.0 } })));
    assert_eq!(of(&|state| observing(state, [none.clone(), cabs.clone()].into())), "");
    for (said, entries) in [
        (
            "the run's state is inconsistent: progress.observed and config.observe have different numbers of entries",
            serde_json::json!([none]),
        ),
        (
            "an entry of progress.observed does not belong to the rule in config.observe",
            serde_json::json!([cabs, none]),
        ),
        ("progress.observed.1.average is missing", serde_json::json!([none, { "rule": "none" }])),
        ("progress.observed.1.rule is missing", serde_json::json!([none, { "average": cabs["average"] }])),
        (
            "progress.observed.0.average.numerator is null, but must be a number",
            serde_json::json!([
                { "average": { "numerator": null, "denominator": 1.0 }, "rule": "none" }, none
            ]),
        ),
        ("progress.observed is 3, but must be a list", 3.into()),
        ("progress.observed: it has 9 observed quantities", vec![none.clone(); 9].into()),
        (
            "progress.observed.0.rule.cabs.loss is \"x\", but must be a number",
            serde_json::json!([average(serde_json::json!({ "cabs": { "xi": 1.0, "loss": "x" } })), none]),
        ),
    ] {
        let found = of(&|state| observing(state, entries.clone()));
        assert!(found.contains(said), "{entries}: {found}");
    }
    let found = of(&|state| {
        state["progress"]["controller"] = serde_json::json!({ "cabs": { "xi": 1.0, "loss": 2.0 } })
    });
    assert!(
        found.contains("progress.controller does not belong to the rule in config.controller"),
        "{found}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn what_never_ends_is_an_error() {
    let error = checkpoint::load(std::path::Path::new("/dev/zero")).unwrap_err().to_string();
    assert!(error.starts_with("larger than 256 MiB"), "{error}");
}

/// A safetensors file with this header and so many bytes of data.
fn file(header: &str, data: usize) -> Vec<u8> {
    let len = (header.len() as u64).to_le_bytes();
    [len.to_vec(), header.as_bytes().to_vec(), vec![0; data]].concat()
}

#[test]
fn lying_headers_are_errors() {
    let tensor = |shape: &str, from: u64, to: u64| {
        format!(r#"{{"layers.0.bias":{{"dtype":"F32","shape":{shape},"data_offsets":[{from},{to}]}}}}"#)
    };
    let liars = [
        file("", 0),
        file("[]", 0),
        file("{", 0),
        file(&tensor("[10]", 0, 40), 39),
        file(&tensor("[10]", 0, 40), 41),
        file(&tensor("[11]", 0, 40), 40),
        file(&tensor("[10]", 40, 0), 40),
        file(&tensor("[18446744073709551615]", 0, 40), 40),
        file(&tensor("[4611686018427387904]", 0, u64::MAX - 3), 40),
        file(&tensor("[4294967296, 4294967296]", 0, 0), 0),
        file(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4),
        [u64::MAX.to_le_bytes().as_slice(), b"{}"].concat(),
        [(1_u64 << 40).to_le_bytes().as_slice(), b"{}"].concat(),
    ];
    for (k, bytes) in liars.iter().enumerate() {
        assert!(checkpoint::read(bytes).is_err(), "liar {k}");
    }
    // Sizes that add up to more than 64 bits, with metadata that looks like a tensor.
    let quarter = 1_u64 << 60;
    let mut header = r#"{"__metadata__":{"data_offsets":"x"}"#.to_owned();
    for k in 0..16_u64 {
        let (from, to) = (k * quarter, (k + 1).saturating_mul(quarter));
        let shape = (to - from) / 4;
        header += &format!(r#","t{k}":{{"dtype":"F32","shape":[{shape}],"data_offsets":[{from},{to}]}}"#);
    }
    header += "}";
    assert!(matches!(checkpoint::read(&file(&header, 0)), Err(CheckpointError::Beyond { .. })));
}

#[test]
fn values_that_are_not_finite_and_other_types_are_errors() {
    let header = r#"{"layers.0.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    for value in [f32::NAN, f32::INFINITY] {
        let mut bytes = file(header, 4);
        bytes.extend(value.to_le_bytes());
        let error = checkpoint::read(&bytes).unwrap_err();
        assert_eq!(error.to_string(), "value 1 of the tensor layers.0.bias is not a finite F32 number");
    }
    let error = checkpoint::read(&file(&header.replace("F32", "I32"), 8)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the tensor layers.0.bias has values of type I32, but F32, F16, BF16 or F64 is expected"
    );
    // Beyond the range of f32, and not a number in half precision.
    let double = header.replace("F32", "F64").replace("[2]", "[1]");
    let large = [file(&double, 0), 1e300_f64.to_le_bytes().to_vec()].concat();
    let half = header.replace("F32", "F16").replace("[2]", "[4]");
    let infinite = [file(&half, 6), 0x7c00_u16.to_le_bytes().to_vec()].concat();
    for (bytes, index) in [(large, 0), (infinite, 3)] {
        let error = checkpoint::read(&bytes).unwrap_err();
        assert!(
            matches!(error, CheckpointError::NonFinite { index: found, .. } if found == index),
            "{error}"
        );
    }
}

/// Its root would make every later parameter NaN.
#[test]
fn a_negative_sum_of_squares_is_an_error() {
    let network = OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap();
    let len = network.view().parameters();
    for optimizer in AnyOptimizer::all() {
        let rule = optimizer.as_optimizer::<f32>();
        let state = State { config: RunConfig { optimizer, ..state().config }, ..state() };
        for slot in 0..rule.slots() {
            // A weight's value 5, a bias's value 3, and a zero with a sign.
            for (place, value, tensor, index) in
                [(5, -1e-30, "1.weight", 5), (7843, -2.0, "1.bias", 3), (0, -0.0, "", 0)]
            {
                let mut memory = squares(rule.slots() * len, 0.2);
                memory[slot * len + place] = value;
                let bytes = checkpoint::write(network.view(), &values(len, 0.1), &memory, &state).unwrap();
                let read = checkpoint::read(&bytes);
                if rule.holds_squares(slot) && value < 0.0 {
                    let expected = format!(
                        "value {index} of the tensor optimizer.{slot}.{tensor} is negative, but it is a sum or mean of \
                         squares"
                    );
                    assert_eq!(read.unwrap_err().to_string(), expected, "{optimizer:?}");
                } else {
                    assert_eq!(read.unwrap().memory(network.view(), rule.slots()).unwrap(), memory);
                }
            }
        }
    }
}

#[test]
fn another_network_s_tensors_are_named() {
    let read = checkpoint::read(&logistic()).unwrap();
    let message = |model| {
        let network = OwnedNetwork::of_model(model, SampleShape::MNIST).unwrap();
        read.parameters(network.view()).unwrap_err().to_string()
    };
    assert_eq!(
        message(Model::MLP),
        "the tensor 1.weight has the shape [10, 784], but [128, 784] is expected"
    );
    let network = OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap();
    assert_eq!(
        read.memory(network.view(), 2).unwrap_err().to_string(),
        "the tensor optimizer.1.1.weight of shape [10, 784] is missing"
    );
    let mut more = read.clone();
    let bias = more.tensors["1.bias"].clone();
    more.tensors.insert("2.bias".to_owned(), bias);
    assert_eq!(
        more.parameters(network.view()).unwrap_err().to_string(),
        "the tensor 2.bias of shape [10] does not belong to any layer of this model"
    );
}

#[test]
fn layers_are_told_apart_by_the_order_of_numbers_and_by_shapes() {
    let network = OwnedNetwork::of_model(Model::MLP, SampleShape::MNIST).unwrap();
    let len = network.view().parameters();
    let bytes = checkpoint::write(network.view(), &values(len, 0.1), &squares(len, 0.2), &state()).unwrap();
    let ours = checkpoint::read(&bytes).unwrap();
    let named = |first: &str, second: &str| {
        let rename = |(name, tensor): (&String, &checkpoint::Tensor)| {
            let (prefix, name) = name.split_at(if name.starts_with("optimizer.0.") { 12 } else { 0 });
            let name = name.replace("1.", first).replace("3.", second);
            (format!("{prefix}{name}"), tensor.clone())
        };
        Checkpoint { tensors: ours.tensors.iter().map(rename).collect(), ..ours.clone() }
    };
    for (first, second) in [
        ("0.", "2."),
        ("2.", "10."),
        ("layers.0.", "layers.1."),
        ("module.net.09.", "module.net.10."),
        ("fc1.", "fc2."),
        ("hidden.", "head."),
        ("99999999999999999999998.", "99999999999999999999999."),
    ] {
        let other = named(first, second);
        assert_eq!(other.parameters(network.view()).unwrap(), values(len, 0.1), "{first} {second}");
        assert_eq!(other.memory(network.view(), 1).unwrap(), squares(len, 0.2), "{first} {second}");
        assert_eq!(other.model(SampleShape::MNIST), Some(Model::MLP));
    }
    let mut lame = named("0.", "2.");
    lame.tensors.remove("2.bias");
    assert_eq!(
        lame.parameters(network.view()).unwrap_err().to_string(),
        "the tensor 2.bias of shape [10] is missing"
    );
    assert_eq!(lame.model(SampleShape::MNIST), None);
}

#[test]
fn checkpoints_of_version_1_are_read() {
    let bytes = logistic();
    let (len, rest) = bytes.split_first_chunk().unwrap();
    let (header, data) = rest.split_at(usize::try_from(u64::from_le_bytes(*len)).unwrap());
    let mut header: serde_json::Value = serde_json::from_slice(header).unwrap();
    let entry = &mut header["__metadata__"]["adadagrad"];
    let mut old: serde_json::Value = serde_json::from_str(entry.as_str().unwrap()).unwrap();
    assert_eq!(old["version"], 3);
    assert!(old["training_data"].as_str().unwrap().starts_with("00070e15"));
    old["version"] = 1.into();
    old.as_object_mut().unwrap().remove("training_data");
    *entry = old.to_string().into();
    let header =
        header.to_string().replace("\"1.", "\"layers.0.").replace("optimizer.0.1.", "optimizer.0.layers.0.");
    let network = OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap();
    let read = checkpoint::read(&[&file(&header, 0), data].concat()).unwrap();
    assert_eq!(read.state().unwrap(), &State { version: 1, training_data: None, ..state() });
    let len = network.view().parameters();
    assert_eq!(read.parameters(network.view()).unwrap(), values(len, 0.1));
    assert_eq!(read.memory(network.view(), 1).unwrap(), squares(len, 0.2));
}

#[test]
fn other_files_are_refused_with_what_they_are() {
    let network = OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap();
    for bytes in [b"PK\x03\x04\0\0\x08\x08archive/data.pkl".as_slice(), b"\x80\x02\x8a\nl\xfc\x9cF"] {
        let said = checkpoint::read(bytes).unwrap_err().to_string();
        assert!(said.contains("not a valid safetensors file, but one written by torch.save"), "{said}");
    }
    let said = checkpoint::read(b"{\"learning_rate\": 0.1}").unwrap_err().to_string();
    assert!(said.starts_with("not a valid safetensors file"), "{said}");
    // Digests that are none.
    for wrong in ["", "00", "xy070e15", "000000"] {
        let bytes = checkpoint::write(network.view(), &values(7850, 0.1), &[], &state()).unwrap();
        let text = bytes.iter().map(|&byte| char::from(byte)).collect::<String>();
        let start = text.find("00070e15").unwrap();
        let text = format!("{}{wrong:8}{}", &text[..start], &text[start + 8..]);
        let said = checkpoint::read(&text.chars().map(|c| c as u8).collect::<Vec<_>>()).map(|_| ());
        let said = said.unwrap_err().to_string();
        assert!(said.contains("must be a SHA-256 of 64 hexadecimal digits"), "{said}");
    }
}

#[test]
fn a_state_that_contradicts_itself_is_an_error() {
    let network = OwnedNetwork::of_model(Model::Logistic, SampleShape::MNIST).unwrap();
    let parameters = values(network.view().parameters(), 0.1);
    let read = |change: fn(&mut State)| {
        let mut state = state();
        change(&mut state);
        checkpoint::read(&checkpoint::write(network.view(), &parameters, &[], &state).unwrap())
    };
    assert!(matches!(read(|state| state.version = 4), Err(CheckpointError::Version(4))));
    let lies: [fn(&mut State); 8] = [
        |state| state.progress.steps = u64::MAX,
        |state| state.progress.shared.steps = 0,
        |state| state.progress.samples_seen = 3,
        |state| state.progress.next_batch = 0,
        |state| state.progress.shared.sum_norm_sq = -1.0,
        // Another rule's state, what is remembered of something that is not observed, and β that the optimizer has not.
        |state| state.progress.controller = AnyState::Cabs(CabsState { xi: 1.0, loss: 1.0 }),
        |state| {
            let mut progress = serde_json::to_value(state.progress).unwrap();
            progress["observed"] =
                serde_json::json!([{ "average": { "numerator": 1, "denominator": 1 }, "rule": "none" }]);
            state.progress = serde_json::from_value(progress).unwrap();
        },
        |state| {
            state.progress.shared.betas =
                Some(Betas { beta1: 0.5, beta2: 0.5, product1: 1.0, product2: 1.0, since: 0 });
        },
    ];
    for lie in lies {
        assert!(matches!(read(lie), Err(CheckpointError::Progress(_))));
    }
}

#[test]
fn a_wrong_field_of_the_state_is_named() {
    let bytes = logistic();
    let (len, rest) = bytes.split_first_chunk().unwrap();
    let header = &rest[..usize::try_from(u64::from_le_bytes(*len)).unwrap()];
    let header: serde_json::Value = serde_json::from_slice(header).unwrap();
    let state = header["__metadata__"]["adadagrad"].as_str().unwrap();
    let said = |from: &str, to: &str| {
        assert_eq!(state.matches(from).count(), 1, "{from} in {state}");
        let metadata = serde_json::json!({ "adadagrad": state.replacen(from, to, 1) });
        let header = serde_json::json!({ "__metadata__": metadata });
        checkpoint::read(&file(&header.to_string(), 0)).unwrap_err().to_string()
    };
    for (field, value) in [
        ("config.learning_rate", "1e400"),
        ("config.test.eta", "1e400"),
        ("config.initial_batch", "-1"),
        ("config.seed", "\"7\""),
        ("progress.samples_seen", "1e400"),
        ("progress.shared.sum_norm_sq", "-1e999"),
    ] {
        // The old value goes to a field that there is not, which is read later.
        let name = format!("\"{}\":", field.rsplit('.').next().unwrap());
        let said = said(&name, &format!("{name}{value},\"old\":"));
        assert!(said.contains(&format!("is not a valid run state: {field} is ")), "{field}: {said}");
    }
    let said = said("{\"version\":3,", "{");
    assert!(said.contains("is not a valid run state: version is missing"), "{said}");
}

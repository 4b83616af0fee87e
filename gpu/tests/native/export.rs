//! `adadagrad export`: a file that PyTorch's `load_state_dict` takes with `strict=True`, and nothing lost for it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support;
use crate::support::program::{SHORT, folder, refuse, run, succeed, text};
use adadagrad_core::dataset::{Encoding, SampleShape};
use adadagrad_core::model::Model;
use adadagrad_core::owned::OwnedNetwork;
use adadagrad_core::owned::checkpoint::{self, Checkpoint};

const EXPORT: &str = "export --load run.safetensors --output model.safetensors";

/// A folder with a run's checkpoint.
fn with_run(flags: &str) -> tempfile::TempDir {
    let folder = folder();
    succeed(folder.path(), &format!("{SHORT} {flags} --sample-budget 100 --save run.safetensors --quiet"));
    folder
}

fn load(folder: &Path, name: &str) -> Checkpoint {
    checkpoint::load(&folder.join(name)).unwrap()
}

/// With `strict=True` PyTorch asks for exactly the keys of its `state_dict()`, each of its own shape.
fn assert_strict(file: &Checkpoint, model: Model) {
    let network = OwnedNetwork::of_model(model, SampleShape::MNIST).unwrap();
    let found: BTreeSet<_> =
        file.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shape.clone())).collect();
    let expected = checkpoint::pieces(network.view()).map(|piece| (piece.name, piece.shape)).collect();
    assert_eq!(found, expected);
    assert!(file.others.is_empty() && file.state.is_none(), "{:?}", file.others);
}

#[test]
fn an_exported_model_holds_the_parameters_alone() {
    for (flags, model, slots) in [
        ("--model logistic", Model::Logistic, 1),
        ("--model mlp --optimizer adam", Model::MLP, 2),
        ("--model cnn --optimizer sgd", Model::Cnn, 0),
    ] {
        let folder = with_run(flags);
        let before = fs::read(folder.path().join("run.safetensors")).unwrap();
        let output = run(folder.path(), EXPORT);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let said = text(&output.stderr);
        assert!(said.starts_with("Wrote model.safetensors: ") && said.contains(&model.to_string()), "{said}");
        let [checkpoint, exported] =
            ["run", "model"].map(|name| load(folder.path(), &format!("{name}.safetensors")));
        assert_strict(&exported, model);
        assert_eq!(checkpoint.tensors.len(), exported.tensors.len() * (1 + slots), "{flags}");
        for (name, tensor) in &exported.tensors {
            assert_eq!(checkpoint.tensors.get(name), Some(tensor), "{name}");
        }
        assert_eq!(fs::read(folder.path().join("run.safetensors")).unwrap(), before);
        let evaluate =
            |file: &str| succeed(folder.path(), &format!("evaluate --data . --json --load {file}"));
        assert_eq!(evaluate("model.safetensors"), evaluate("run.safetensors"));
        // What other libraries tell PyTorch's files by.
        let bytes = fs::read(folder.path().join("model.safetensors")).unwrap();
        let header: serde_json::Value =
            serde_json::from_slice(&bytes[8..8 + usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))])
                .unwrap();
        assert_eq!(header["__metadata__"], serde_json::json!({ "format": "pt" }));
        let refused = refuse(folder.path(), "train --data . --resume model.safetensors --quiet");
        assert!(refused.contains("not the state of a run"), "{refused}");
    }
}

/// PyTorch is to see the pixels as the run saw them.
#[test]
fn export_tells_how_inputs_are_normalised() {
    let said_for = |flags: &str| {
        let folder = with_run(flags);
        let said = text(&run(folder.path(), EXPORT).stderr);
        // A file without a run does not tell.
        let again = run(folder.path(), "export --load model.safetensors --output again.safetensors");
        assert!(
            text(&again.stderr).contains("does not say whether the inputs of the network are normalised")
        );
        (said, load(folder.path(), "run.safetensors").state.unwrap().encoding)
    };
    let (said, encoding) = said_for("");
    assert!(encoding.is_none() && said.ends_with("\nThe inputs of the network are pixel/255.\n"), "{said}");
    let (said, encoding) = said_for("--normalise");
    let Some(Encoding::Bytes { mean: [mean, ..], deviation: [deviation, ..] }) = encoding else {
        panic!("{encoding:?}")
    };
    // One channel, and every digit.
    let expected = format!("in torchvision ToTensor(), then Normalize([{mean}], [{deviation}]).\n");
    assert!(mean > 0.0 && said.ends_with(&expected), "{said}");
}

#[test]
fn a_file_from_elsewhere_gets_the_names_of_sequential() {
    let folder = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/torch");
    for name in ["named-bf16", "far-apart-f16", "cnn"] {
        fs::copy(golden.join(format!("{name}.safetensors")), folder.path().join("run.safetensors")).unwrap();
        succeed(folder.path(), &format!("{EXPORT} --overwrite"));
        let exported = load(folder.path(), "model.safetensors");
        assert_strict(&exported, Model::Cnn);
        assert_eq!(exported.tensors, load(&golden, "cnn.safetensors").tensors, "{name}");
    }
}

#[test]
fn nothing_is_written_over_a_file_that_was_not_to_be_replaced() {
    let folder = with_run("");
    let at = |name: &str| folder.path().join(name);
    let checkpoint = fs::read(at("run.safetensors")).unwrap();
    fs::write(at("model.safetensors"), "mine").unwrap();
    let refused = refuse(folder.path(), EXPORT);
    assert!(
        refused.contains("model.safetensors: the file exists already") && refused.contains("--overwrite"),
        "{refused}"
    );
    assert_eq!(fs::read(at("model.safetensors")).unwrap(), b"mine");
    succeed(folder.path(), &format!("{EXPORT} --overwrite"));
    assert_strict(&load(folder.path(), "model.safetensors"), Model::Logistic);
    // Over the checkpoint itself not even then: the run could not go on.
    for same in ["run.safetensors", "./run.safetensors"] {
        let refused =
            refuse(folder.path(), &format!("export --load run.safetensors --output {same} --overwrite"));
        assert!(refused.contains("--output and --load are the same file"), "{refused}");
    }
    assert_eq!(fs::read(at("run.safetensors")).unwrap(), checkpoint);
    for (output, part) in [(".", "folder"), ("no/such/folder/model", "its folder does not exist")] {
        let refused = refuse(folder.path(), &format!("export --load run.safetensors --output {output}"));
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn what_is_no_model_leaves_no_file() {
    let folder = with_run("");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("broken.safetensors"), "nothing").unwrap();
    for (load, flags, part) in [
        ("broken.safetensors", "", "not a valid safetensors file"),
        ("none.safetensors", "", "none.safetensors"),
        ("run.safetensors", "--model cnn", "it contains the model logistic"),
    ] {
        let refused =
            refuse(folder.path(), &format!("export --load {load} --output new.safetensors {flags}"));
        assert!(refused.contains(part), "{refused}");
        assert!(!at("new.safetensors").exists());
    }
    let incomplete = refuse(folder.path(), "export --load run.safetensors");
    assert!(incomplete.contains("--output"), "{incomplete}");
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_special_files_refused() {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    let folder = with_run("");
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("models")).unwrap();
    symlink("models/new.safetensors", at("model.safetensors")).unwrap();
    succeed(folder.path(), EXPORT);
    assert!(fs::symlink_metadata(at("model.safetensors")).unwrap().is_symlink());
    assert_strict(&load(folder.path(), "models/new.safetensors"), Model::Logistic);
    symlink("run.safetensors", at("link")).unwrap();
    let refused = refuse(folder.path(), "export --load run.safetensors --output link --overwrite");
    assert!(refused.contains("the same file"), "{refused}");
    assert!(Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
    for (output, part) in [("fifo", "is a pipe"), ("/dev/null", "is a device")] {
        let command = format!("export --load run.safetensors --output {output} --overwrite");
        let refused = refuse(folder.path(), &command);
        assert!(refused.contains(part), "{refused}");
    }
    let redirected = Command::new("sh")
        .current_dir(folder.path())
        .env("PROGRAM", support::program::PROGRAM)
        .args(["-c", "\"$PROGRAM\" export --load run.safetensors --output said > said"])
        .output()
        .unwrap();
    assert!(text(&redirected.stderr).contains("--output and standard output are the same file"));
}

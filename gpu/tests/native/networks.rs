//! `adadagrad networks`, and runs of networks other than those for MNIST.

use std::fs;

use crate::support::program::{folder, lines, refuse, run, succeed, text, timeless};
use serde_json::Value;

/// A few steps in one part each, so that how batches are cut does not matter.
const FEW: &str = "train --data . --initial-batch 8 --max-batch 40 --sample-budget 300 --eta 0.3 --evaluate-every 100 \
                   --quiet";

const OWN: &str = r#"[
    {"layer": "conv2d", "name": "stem", "out_channels": 4, "kernel_size": 3, "stride": 2, "bias": false},
    {"layer": "group_norm", "num_groups": 2},
    {"layer": "gelu"},
    {"layer": "add", "name": "residual", "inputs": ["stem", "2"]},
    {"layer": "average_pool2d", "kernel_size": 3},
    {"layer": "flatten"},
    {"layer": "dense", "name": "head", "out_features": 10}
]"#;

#[test]
fn networks_are_listed_with_parameters_and_flops() {
    let folder = folder();
    let list = succeed(folder.path(), "networks");
    for row in [
        "logistic     1x28x28       2       7,850         15,680",
        "cnn          1x28x28       8      28,938      5,676,160",
        "cifar-cnn    3x32x32      13     541,094      6,637,328",
        "resnet18     3x32x32      67  11,173,962  1,110,845,440",
        "transformer  1x1x64       44     818,241    110,116,864",
    ] {
        assert!(list.lines().any(|line| line == row), "{row} is missing:\n{list}");
    }
    let small = succeed(folder.path(), "networks --shape 1x3x3 --classes 4");
    assert!(small.lines().any(|line| line.starts_with("cnn ") && line.ends_with("does not fit")), "{small}");
    let layers = succeed(folder.path(), "networks resnet-8 --classes 100 --shape 3x16x16");
    let row = |start: &str| {
        let line = layers.lines().find(|line| line.starts_with(start));
        line.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        row("layer2.0.downsample.0"),
        "layer2.0.downsample.0 convolution 1×1, 32 output channels, stride 2, padding 0, no bias layer1.0.relu2 \
         32×8×8 512 65,536"
    );
    assert_eq!(row("layer3.0.add"), "layer3.0.add add layer3.0.norm2, layer3.0.downsample.1 64×4×4 0 0");
    assert_eq!(row("fc"), "fc dense, 100 outputs avgpool 100 6,500 12,800");
    assert_eq!(row("total"), "total 83,892 6,263,296");
}

const BLOCK: &str = r#"[
    {"layer": "embedding", "name": "wte", "num_embeddings": 65, "embedding_dim": 32},
    {"layer": "position_embedding", "name": "wpe", "num_embeddings": 64},
    {"layer": "layer_norm", "name": "ln_1"},
    {"layer": "dense", "name": "attn.c_attn", "out_features": 96},
    {"layer": "causal_attention", "num_heads": 4},
    {"layer": "dense", "name": "attn.c_proj", "out_features": 32},
    {"layer": "add", "name": "residual", "inputs": ["wpe", "attn.c_proj"]},
    {"layer": "gelu"},
    {"layer": "linear", "name": "lm_head", "out_features": 65}
]"#;

#[test]
fn a_network_of_tokens_is_listed_and_printed_as_it_was_given() {
    let folder = folder();
    fs::write(folder.path().join("block.json"), BLOCK).unwrap();
    let layers = succeed(folder.path(), "networks --network block.json --shape 1x1x48");
    for row in [
        "wte embedding, 65 tokens to 32 channels input 32×1×48 2,080 0",
        "wpe position embedding, 64 positions wte 32×1×48 2,048 0",
        "ln_1 layer norm wpe 32×1×48 64 0",
        "attn.c_attn dense, 96 outputs ln_1 96×1×48 3,168 294,912",
        "4 causal attention, 4 heads attn.c_attn 32×1×48 0 294,912",
        "lm_head dense, 65 outputs 7 65×1×48 2,145 199,680",
    ] {
        let is_row = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ") == row;
        assert!(layers.lines().any(is_row), "{row} is missing:\n{layers}");
    }
    let printed = succeed(folder.path(), "networks --network block.json --json");
    fs::write(folder.path().join("printed.json"), &printed).unwrap();
    assert_eq!(succeed(folder.path(), "networks --network printed.json --json"), printed);
    let refused = refuse(folder.path(), "networks --network block.json --classes 7");
    assert!(refused.contains("whose embedding has 65 tokens"), "{refused}");
}

#[test]
fn what_does_not_fit_a_sequence_is_refused_in_one_sentence() {
    let folder = folder();
    for (from, to, shape, expected) in [
        (
            "\"num_heads\": 4",
            "\"num_heads\": 5",
            "1x1x48",
            "layer 4 (causal attention, 5 heads) cannot take an input of shape 96×1×48: its heads do not divide its width, a \
             third of the channels",
        ),
        (
            "\"out_features\": 96",
            "\"out_features\": 95",
            "1x1x48",
            "layer 4 (causal attention, 4 heads) cannot take an input of shape 95×1×48: its channels must be query, key and \
             value side by side, three times its width",
        ),
        (
            "",
            "",
            "1x1x65",
            "layer 1 (position embedding, 64 positions) cannot take an input of shape 32×1×65: the sequence is longer than \
             its positions",
        ),
        (
            "",
            "",
            "2x1x48",
            "layer 0 (embedding, 65 tokens to 32 channels) cannot take an input of shape 2×1×48: its input must be a \
             sequence of tokens, with one channel and height 1",
        ),
        (
            "{\"layer\": \"layer_norm\", \"name\": \"ln_1\"}",
            "{\"layer\": \"embedding\", \"num_embeddings\": 5, \"embedding_dim\": 2}",
            "1x1x48",
            "layer 2 (embedding, 5 tokens to 2 channels) takes tokens, which only the network's input holds",
        ),
        (
            "\"num_heads\": 4",
            "\"heads\": 4",
            "1x1x48",
            "`num_heads` is missing (a whole number): `heads` is not a setting",
        ),
    ] {
        fs::write(folder.path().join("block.json"), BLOCK.replace(from, to)).unwrap();
        let refused = refuse(folder.path(), &format!("networks --network block.json --shape {shape}"));
        assert!(refused.contains(expected), "{refused}");
    }
    // Images are no tokens.
    fs::write(folder.path().join("block.json"), BLOCK).unwrap();
    let refused = refuse(folder.path(), "train --data . --network block.json");
    assert!(refused.contains("its input must be a sequence of tokens"), "{refused}");
}

#[test]
fn what_is_no_network_is_refused_in_one_sentence() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("broken.json"), "[\n  {\"layer\": \"flatten\"},\n  {\"layer\": \"batch_norm\"}\n]").unwrap();
    fs::write(at("seven.json"), r#"[{"layer": "flatten"}, {"layer": "dense", "out_features": 7}]"#).unwrap();
    fs::write(at("own.json"), OWN).unwrap();
    let hash = "0".repeat(64);
    for (command, expected) in [
        ("networks --json", "--json prints the layers of one network: give its name, or --network"),
        ("networks resnet-9", "expected one of logistic, mlp, mlp-HIDDEN, cnn, cifar-cnn, resnet-DEPTH"),
        ("networks cnn --shape 32x32", "expected channels x height x width, such as 3x32x32"),
        (
            "networks cnn --shape 1x3x3",
            "the model cnn does not fit samples of shape 1×3×3 with 10 classes: layer 5 (max-pool 2×2, stride 2) cannot \
             take an input of shape 32: its window is larger than its padded input",
        ),
        (
            "networks --network broken.json",
            "broken.json: line 3, column 3: layer 1: batch_norm couples the samples of a batch",
        ),
        ("networks --network missing.json", "missing.json: "),
        (
            "train --data . --network seven.json",
            "the network does not fit samples of shape 1×28×28 with 10 classes: the last layer has 7 outputs, but the \
             data have 10 classes",
        ),
        (
            "train --data . --model transformer",
            "the model transformer does not fit samples of shape 1×28×28 with 10 classes: the transformer takes sequences of \
             tokens, but the data's samples are not tokens",
        ),
        ("networks transformer-2-3-16", "the 3 heads of the transformer do not divide its width, 16"),
        ("train --data . --model transformer-4-4-128", "expected transformer, as this model is written"),
        ("train --data . --decay-on matrix", "invalid value 'matrix' for '--decay-on <TENSORS>'"),
        ("train --data . --clip-norm=-1", "--clip-norm is -1, but must be a number of at least 0"),
        ("train --data . --network own.json --model cnn", "cannot be used with"),
        ("train --data . --model resnet-20-16", "expected resnet-20, as this model is written"),
        (&format!("train --data . --model own-{hash}"), "is a custom network: give its file with --network"),
        ("train --data . --network own.json --save own.json", "--save and --network are the same file"),
    ] {
        let refused = refuse(folder.path(), command);
        assert!(refused.contains(expected), "{command}: {refused}");
    }
    assert_eq!(fs::read_to_string(at("own.json")).unwrap(), OWN);
}

#[test]
fn a_transformer_is_listed_for_its_context_and_vocabulary() {
    let folder = folder();
    let layers = succeed(folder.path(), "networks transformer-2-2-16 --shape 1x1x8 --classes 11");
    for row in [
        "transformer.wte embedding, 11 tokens to 16 channels input 16×1×8 176 0",
        "transformer.h.1.attn.c_attn dense, 48 outputs transformer.h.1.ln_1 48×1×8 816 12,288",
        "transformer.h.1.add_2 add transformer.h.1.add_1, transformer.h.1.mlp.c_proj 16×1×8 0 0",
        "lm_head dense, 11 outputs transformer.ln_f 11×1×8 187 2,816",
    ] {
        let is_row = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ") == row;
        assert!(layers.lines().any(is_row), "{row} is missing:\n{layers}");
    }
    let config = succeed(folder.path(), "train --decay-on matrices --clip-norm 0.5 --print-config");
    let config: Value = serde_json::from_str(&config).unwrap();
    assert_eq!((&config["decay_on"], &config["clip_norm"]), (&"matrices".into(), &0.5.into()));
}

/// Takes the network's name out of a run's lines, which all have the same.
fn take_model(lines: &mut [Value]) -> String {
    let mut names = lines.iter_mut().map(|line| line.as_object_mut().unwrap().remove("model").unwrap());
    let first = names.next().unwrap();
    assert!(names.all(|name| name == first));
    first.as_str().unwrap().to_owned()
}

#[test]
fn a_printed_network_trains_as_the_one_it_was() {
    let folder = folder();
    for model in ["logistic", "mlp-20"] {
        let json = succeed(folder.path(), &format!("networks {model} --shape 1x28x28 --json"));
        fs::write(folder.path().join("net.json"), json).unwrap();
        succeed(folder.path(), &format!("{FEW} --model {model} --telemetry built-in.jsonl"));
        succeed(folder.path(), &format!("{FEW} --network net.json --telemetry own.jsonl"));
        let files = ["built-in.jsonl", "own.jsonl"];
        let [mut built_in, mut own] = files.map(|name| timeless(&folder.path().join(name)));
        assert!(built_in.len() > 5);
        let [its_name, own_name] = [&mut built_in, &mut own].map(|lines| take_model(lines));
        assert_eq!(its_name, model);
        assert!(own_name.starts_with("own-") && own_name.len() == 68, "{own_name}");
        assert_eq!(built_in, own, "{model}");
    }
}

#[test]
fn a_checkpoint_holds_the_network_of_its_run() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("own.json"), OWN).unwrap();
    fs::write(at("other.json"), OWN.replace("gelu", "relu")).unwrap();
    // Another spelling of the same layers.
    fs::write(at("same.json"), OWN.replace("\"dense\"", "\"linear\"").replace('\n', "")).unwrap();
    succeed(
        folder.path(),
        &format!("{FEW} --network own.json --save whole.safetensors --telemetry whole.jsonl"),
    );
    succeed(
        folder.path(),
        &format!(
            "{FEW} --network own.json --sample-budget 100 --save part.safetensors --telemetry part.jsonl"
        ),
    );
    // It is not written over by what is made from it.
    for command in [
        "export --load whole.safetensors --network own.json --output ./own.json --overwrite",
        "measure critical-batch --data . --load whole.safetensors --network own.json --output own.json",
    ] {
        let refused = refuse(folder.path(), command);
        assert!(refused.contains("own.json: --output and --network are the same file"), "{refused}");
    }
    assert_eq!(fs::read_to_string(at("own.json")).unwrap(), OWN);
    let config = succeed(folder.path(), &format!("{FEW} --network own.json --print-config"));
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    let name = config["model"].as_str().unwrap().to_owned();
    assert!(name.starts_with("own-") && name.len() == 68, "{name}");

    let refused = refuse(folder.path(), "train --data . --resume part.safetensors --network other.json");
    assert!(
        refused.contains(&format!("it contains the model {name}, but the settings have own-")),
        "{refused}"
    );
    let refused = refuse(folder.path(), "evaluate --data . --load part.safetensors --network other.json");
    assert!(refused.contains(&format!("it contains the model {name}")), "{refused}");
    assert_eq!(lines(&at("part.jsonl"))[0]["model"].as_str(), Some(&*name));
    let others = at("others.jsonl");
    fs::write(&others, fs::read_to_string(at("part.jsonl")).unwrap().replace(&name, "mlp")).unwrap();
    let refused =
        refuse(folder.path(), "train --data . --resume part.safetensors --telemetry others.jsonl --quiet");
    let expected = format!(
        "others.jsonl: line 1 belongs to another run: trained the network mlp, but the checkpoint's run trains {name}"
    );
    assert!(refused.contains(&expected), "{refused}");
    assert!(fs::read_to_string(others).unwrap().contains("mlp"), "the file was touched");
    // Nothing but the checkpoint is needed.
    fs::remove_file(at("own.json")).unwrap();
    let resume =
        "train --data . --quiet --resume part.safetensors --sample-budget 300 --telemetry part.jsonl";
    succeed(folder.path(), &format!("{resume} --save part.safetensors --network same.json"));
    assert_eq!(timeless(&at("part.jsonl")), timeless(&at("whole.jsonl")));
    let evaluate = |file: &str| succeed(folder.path(), &format!("evaluate --data . --json --load {file}"));
    assert_eq!(evaluate("part.safetensors"), evaluate("whole.safetensors"));
    let last = lines(&at("whole.jsonl")).pop().unwrap();
    let evaluated: serde_json::Value = serde_json::from_str(&evaluate("whole.safetensors")).unwrap();
    assert_eq!(evaluated["accuracy"], last["accuracy"]);
    succeed(folder.path(), "train --data . --load whole.safetensors --sample-budget 20 --quiet");

    let output = run(folder.path(), "export --load whole.safetensors --output model.safetensors");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let exported = adadagrad_core::owned::checkpoint::load(&at("model.safetensors")).unwrap();
    let mut names: Vec<_> = exported.tensors.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["1.bias", "1.weight", "head.bias", "head.weight", "stem.weight"]);
    // That file has no layers in it.
    let refused = refuse(folder.path(), "evaluate --data . --load model.safetensors");
    assert!(refused.contains("do not fit any known model"), "{refused}");
    let with_layers = "evaluate --data . --json --load model.safetensors --network same.json";
    assert_eq!(succeed(folder.path(), with_layers), evaluate("whole.safetensors"));
}

#[test]
fn resnets_train_and_resume_and_keep_their_names() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let train = "train --data . --quiet --model resnet-8-4 --initial-batch 8 --max-batch 40 --optimizer adam \
                 --learning-rate 0.001 --evaluate-every 1000";
    succeed(folder.path(), &format!("{train} --sample-budget 120 --save whole.safetensors"));
    succeed(folder.path(), &format!("{train} --sample-budget 40 --save part.safetensors --threads 1"));
    succeed(
        folder.path(),
        "train --data . --quiet --resume part.safetensors --sample-budget 120 --save part.safetensors",
    );
    let [whole, part] = ["whole", "part"]
        .map(|name| adadagrad_core::owned::checkpoint::load(&at(&format!("{name}.safetensors"))).unwrap());
    assert_eq!(whole.tensors, part.tensors);
    for name in ["conv1.weight", "layer2.0.downsample.1.bias", "fc.bias", "optimizer.1.layer3.0.norm2.weight"]
    {
        assert!(whole.tensors.contains_key(name), "{name} is missing");
    }
    let refused = refuse(folder.path(), "evaluate --data . --load part.safetensors --model resnet-8");
    assert!(
        refused.contains("it contains the model resnet-8-4, but the settings have resnet-8"),
        "{refused}"
    );
}

/// Runs the program with this much address space, as `ulimit` and batch systems limit it.
#[cfg(target_os = "linux")]
fn refuse_within(kibibytes: u32, folder: &std::path::Path, arguments: &str) -> String {
    use crate::support::program::PROGRAM;

    let command = format!("ulimit -v {kibibytes}; exec {PROGRAM} {arguments}");
    let output =
        std::process::Command::new("sh").current_dir(folder).args(["-c", &command]).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""));
    text(&output.stderr)
}

#[cfg(target_os = "linux")]
#[test]
fn a_model_too_large_for_memory_is_refused_before_anything_is_allocated() {
    let folder = folder();
    // 795 million parameters, whose engine would take at least six times their 3 GB.
    let large = "train --data . --model mlp-1000000 --max-batch 8 --quiet";
    for flags in ["", " --save large.safetensors", " --device gpu"] {
        let said = refuse_within(4 << 20, folder.path(), &format!("{large}{flags}"));
        let start = "error: the model mlp-1000000 is too large for this machine";
        assert!(said.starts_with(start) && said.lines().count() == 1, "{said}");
        let sizes: Vec<u64> =
            said.split(" MiB").filter_map(|part| part.rsplit(' ').next()?.parse().ok()).collect();
        let &[needed, available] = &sizes[..] else { panic!("{said}") };
        assert!(needed > 15_000 && available < 4 << 10, "{said}");
        assert!(said.ends_with("; choose a smaller network\n"), "{said}");
    }
    assert!(!folder.path().join("large.safetensors").exists());
    // One thread takes a copy of the gradient less for each part of a batch that is under way.
    let medium = "train --data . --model mlp-25000 --initial-batch 300 --max-batch 300 --threads 16 --quiet";
    let said = refuse_within(1_700_000, folder.path(), medium);
    assert!(
        said.contains(" on 16 threads: ") && said.ends_with("; choose a smaller network, or --threads 1\n"),
        "{said}"
    );
}

/// Opening a pipe waits for its other end: here nothing may wait for ever without a word.
#[cfg(unix)]
#[test]
fn a_network_comes_through_a_pipe_and_a_pipe_without_a_writer_is_refused() {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::{Command, Stdio};

    use crate::support::program::program;

    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("own.json"), OWN).unwrap();
    let expected = succeed(folder.path(), "networks --network own.json");
    for name in ["empty", "pipe"] {
        assert!(Command::new("mkfifo").arg(at(name)).status().unwrap().success());
    }
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    for (arguments, sentence) in [
        ("networks --network empty", "empty: is a pipe (FIFO) that no program writes to"),
        ("train --data . --network empty", "empty: is a pipe (FIFO) that no program writes to"),
        ("train --data . --config empty", "empty: is a pipe (FIFO) that no program writes to"),
        ("evaluate --data . --load empty", "empty: is a pipe (FIFO) that no program writes to"),
        ("networks --network .", ".: is a folder, but a file is expected"),
        ("networks --network socket", "socket: is a socket, but a regular file is expected"),
        (
            "networks --network /dev/null",
            "/dev/null: line 1, column 0: not valid JSON: the text ends before a value",
        ),
        ("networks --network /dev/zero", "/dev/zero: larger than 16 MiB, the limit for such files"),
    ] {
        let said = refuse(folder.path(), arguments);
        assert!(said.starts_with(&format!("error: {sentence}")) && said.lines().count() == 1, "{said}");
    }

    // A writer that takes its time.
    let mut command = program(folder.path(), "networks --network pipe");
    let mut reader = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut writer = fs::File::options().write(true).open(at("pipe")).unwrap();
    let mut said = BufReader::new(reader.stderr.take().unwrap()).lines();
    assert_eq!(said.next().unwrap().unwrap(), "Waiting for pipe: nothing has been written to it yet.");
    writer.write_all(OWN.as_bytes()).unwrap();
    drop(writer);
    let mut shown = String::new();
    reader.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    assert!(reader.wait().unwrap().success() && said.next().is_none());
    assert_eq!(shown, expected);
}

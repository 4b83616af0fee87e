//! Files are written whole or not at all, where they were asked for, and never over one another.

use std::fs;
use std::path::Path;

use adadagrad_gpu::output_file::{OutputFile, is_same, write, write_numbered};

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    write(&path, b"first").unwrap();
    write(&path, b"second").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"second");
    let mut file = OutputFile::prove(&path, 100_000).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"second", "the proof changes nothing");
    file.write(b"third").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"third");
    assert_eq!(names(folder.path()), ["model.safetensors"], "nothing else is left behind");
    assert!(write(&folder.path().join("no/such/folder"), b"fourth").is_err());
}

#[test]
fn another_programs_file_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut file = OutputFile::prove(&path, 1).unwrap();
    assert_eq!(names(folder.path()), [""; 0], "the proof leaves nothing behind");
    fs::write(&path, "theirs").unwrap();
    let error = file.write(b"ours").unwrap_err().to_string();
    assert_eq!(error, "another program has written this file in the meantime");
    assert_eq!(fs::read(&path).unwrap(), b"theirs");
}

#[test]
fn files_beside_another_never_overwrite_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let file = OutputFile::prove(&at("a.b.safetensors"), 1).unwrap();
    for (content, name) in [("1", "a.b-failed"), ("2", "a.b-failed-2"), ("3", "a.b-failed-3")] {
        let beside = file.write_beside("failed", content.as_bytes()).unwrap();
        assert_eq!(beside.path(), at(&format!("{name}.safetensors")));
    }
    for (content, name) in [("1", "a.b-failed"), ("2", "a.b-failed-2"), ("3", "a.b-failed-3")] {
        assert_eq!(fs::read_to_string(at(&format!("{name}.safetensors"))).unwrap(), content);
    }
    for expected in ["run", "run-2", "run-3"] {
        let path = write_numbered(folder.path(), "run".as_ref(), b"").unwrap().path().to_owned();
        assert_eq!(path, at(expected));
    }
    // A name as long as a name may be has room for what is added, in whole characters.
    for stem in ["x".repeat(243), format!("x{}", "ä".repeat(121))] {
        let file = OutputFile::prove(&at(&format!("{stem}.safetensors")), 1).unwrap();
        for _ in 0..2 {
            let beside = file.write_beside("failed", b"").unwrap();
            let name = beside.path().file_name().unwrap().to_str().unwrap();
            assert!(name.ends_with(".safetensors") && name.contains("-fail"), "{name}");
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    #[test]
    fn links_are_followed_and_permissions_kept() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("models")).unwrap();
        symlink("models/real", at("second")).unwrap();
        symlink("second", at("first")).unwrap();
        // The link's file is not there yet.
        let mut file = OutputFile::prove(&at("first"), 1).unwrap();
        file.write(b"new").unwrap();
        assert_eq!(fs::read(at("models/real")).unwrap(), b"new");
        fs::set_permissions(at("models/real"), fs::Permissions::from_mode(0o640)).unwrap();
        drop(file);
        let mut file = OutputFile::prove(&at("first"), 1).unwrap();
        file.write(b"newer").unwrap();
        assert_eq!(fs::read(at("models/real")).unwrap(), b"newer");
        assert_eq!(fs::metadata(at("models/real")).unwrap().permissions().mode() & 0o777, 0o640);
        for link in ["first", "second"] {
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink());
        }
        // Beside the file itself, not beside the link.
        let beside = file.write_beside("failed", b"").unwrap();
        assert!(is_same(beside.path(), &at("models/real-failed")), "{:?}", beside.path());
    }

    #[test]
    fn a_file_that_somebody_writes_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        let refused = || OutputFile::prove(&path, 1).unwrap_err().to_string();
        let mut first = OutputFile::prove(&path, 1).unwrap();
        assert_eq!(refused(), "another run is writing to this file", "before it is there");
        first.write(b"1").unwrap();
        assert_eq!(refused(), "another run is writing to this file");
        first.write(b"2").unwrap();
        assert_eq!(refused(), "another run is writing to this file");
        drop(first);
        OutputFile::prove(&path, 1).unwrap();
    }

    #[test]
    fn what_takes_a_file_s_place_later_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for is_there in [false, true] {
            let path = folder.path().join(format!("model-{is_there}"));
            if is_there {
                fs::write(&path, "an earlier one").unwrap();
            }
            let mut file = OutputFile::prove(&path, 1).unwrap();
            let _ = fs::remove_file(&path);
            assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            let error = file.write(b"1").unwrap_err().to_string();
            assert_eq!(error, "is a pipe (FIFO), but a regular file is expected");
            assert!(!fs::metadata(&path).unwrap().is_file(), "the pipe is still there");
        }
    }

    #[test]
    fn every_spelling_of_a_file_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("file"), "").unwrap();
        fs::write(at("other"), "").unwrap();
        fs::hard_link(at("file"), at("hard")).unwrap();
        symlink("file", at("soft")).unwrap();
        symlink("missing", at("dangling")).unwrap();
        for (one, other) in [
            ("file", "file"),
            ("file", "sub/../file"),
            ("file", "./file"),
            ("file", "hard"),
            ("file", "soft"),
            ("missing", "missing"),
            ("missing", "sub/../missing"),
            ("missing", "dangling"),
        ] {
            assert!(is_same(&at(one), &at(other)), "{one} and {other}");
            assert!(!is_same(&at(one), &at("other")), "{one} and other");
        }
        assert!(!is_same(Path::new("/dev/null"), Path::new("/dev/null")), "a device can be used twice");
    }
}

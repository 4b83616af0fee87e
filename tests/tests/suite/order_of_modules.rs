//! Which modules of the core know of which.

use std::fs;
use std::path::Path;

/// From the ground up: each may use those before it, and none of those after it.
const ORDER: [&str; 14] = [
    "length",
    "vectors",
    "real",
    "reason",
    "noise_scale",
    "statistics",
    "shape",
    "loss",
    "windows",
    "sink",
    "backend",
    "layer",
    "network",
    "model",
];

/// The lines of code of a module, with all that are below it.
fn lines(place: &Path) -> Vec<String> {
    if place.is_dir() {
        return fs::read_dir(place).unwrap().flat_map(|entry| lines(&entry.unwrap().path())).collect();
    }
    let text = fs::read_to_string(place).unwrap();
    text.lines().map(str::trim).filter(|line| !line.starts_with("//")).map(str::to_owned).collect()
}

#[test]
fn no_module_uses_one_that_is_built_on_it() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("core/src");
    for (place, module) in ORDER.into_iter().enumerate() {
        let parts = [core.join(module), core.join(format!("{module}.rs"))];
        let code: Vec<_> = parts.iter().filter(|part| part.exists()).flat_map(|part| lines(part)).collect();
        assert!(!code.is_empty(), "there is no module {module}");
        for line in code {
            for path in line.split("crate::").skip(1) {
                let used = path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                assert!(!ORDER[place + 1..].contains(&used), "{module} uses {used}: {line}");
            }
        }
    }
}

//! What a published package holds.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Both licences and a README, of every crate that others may use.
#[test]
fn packages_carry_their_licences() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (package, folder) in [("adadagrad-core", "core"), ("adadagrad-gpu", "gpu"), ("adadagrad-web", "web")]
    {
        let output = Command::new(env!("CARGO"))
            .current_dir(root)
            .args(["package", "--list", "--allow-dirty", "--offline", "--package", package])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{package}: {}", String::from_utf8_lossy(&output.stderr));
        for file in ["LICENSE-MIT", "LICENSE-APACHE", "README.md"] {
            assert!(text.lines().any(|line| line == file), "{package} lacks {file}:\n{text}");
        }
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let [own, whole] =
                [root.join(folder), root.to_owned()].map(|place| fs::read(place.join(licence)).unwrap());
            assert_eq!(own, whole, "{package}: {licence} is not the project's");
        }
    }
}

//! The documentation says how many lines it takes to adopt adaptive batches, and ten are the most.

use std::fs;
use std::path::Path;

/// The mark of a line that a loop without adaptive batches does not have, imports aside.
const ADDED: &str = "// added";

#[test]
fn a_loop_takes_at_most_ten_lines_and_the_documentation_has_their_number() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documentation = fs::read_to_string(folder.join("../../core/README.md")).expect("the documentation");
    for name in ["examples/by_hand.rs", "examples/ndarray.rs", "examples/candle.rs", "burn/src/main.rs"] {
        let source = fs::read_to_string(folder.join(name)).expect("the example");
        let added = source.lines().filter(|line| line.ends_with(ADDED)).count();
        assert!((1..=10).contains(&added), "{name}: {added} lines");
        let row = documentation.lines().find(|line| line.contains(&format!("tests/loops/{name}")));
        let row = row.unwrap_or_else(|| panic!("core/README.md does not name {name}"));
        assert!(
            row.contains(&format!("| {added} |")),
            "{name}: {added} lines, but the documentation has {row}"
        );
    }
}

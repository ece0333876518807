//! The scans that come with the program, read with the weights it carries.

use std::path::Path;

use crate::util::{call, talk};

/// Least share of the fields whose best reading is right, accepted or not. The pages are few and some are worn, so this
/// tells a broken stage from a sound one, and no more.
const LEAST_FORCED: f64 = 0.9;

#[test]
fn every_page_is_found_and_most_fields_are_right() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let path = |name: &str| fixtures.join(name).to_string_lossy().into_owned();
    let output = call(dir.path(), &["run", &path("scans"), "out.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));

    let output = call(dir.path(), &["eval", "values", "out.csv", &path("truth.csv"), "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let score: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(score["missing"], 0, "{score}");
    let count = |key: &str| score[key].as_f64().expect("it is a count");
    assert!(count("forced_correct") >= LEAST_FORCED * count("fields"), "{score}");
}

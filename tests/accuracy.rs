//! The scans in `fixtures`, read with the shipped weights.

use std::{collections::HashMap, path::Path};

use crate::util::{call, talk};

/// Minimum share of fields whose best reading is right, accepted or not. The pages are few and some are worn, so this bound
/// detects a broken stage, not a small loss of accuracy.
const MIN_FORCED: f64 = 0.9;

#[test]
fn fixture_pages_are_all_identified_and_most_fields_are_right() {
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
    assert!(count("forced_correct") >= MIN_FORCED * count("fields"), "{score}");
}

#[test]
fn signs_and_decimal_points_are_read_as_part_of_a_number() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let signs = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/signs");
    let path = |name: &str| signs.join(name).to_string_lossy().into_owned();
    let output = call(dir.path(), &["run", &path("scans"), "out.csv", "--pipeline", &path("cash-book.toml")]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));

    let (truth, fields) = (rows(&signs.join("truth.csv")), rows(&dir.path().join("out.fields.csv")));
    let (mut n_negative, mut n_whole, mut n_misread) = (0, 0, 0);
    for field in &fields {
        let page = truth.iter().find(|row| row["page"] == field["page"]).expect("the truth has every page");
        let (value, guess) = (&page[&field["field"]], &field["guess"]);
        // A digit may be misread, but a sign or a decimal point only rarely.
        let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
        n_misread += usize::from(shape(value) != shape(guess));
        n_negative += usize::from(value.starts_with('-'));
        n_whole += usize::from(value.ends_with(".00"));
        assert!(field["state"] != "accepted" || value == guess, "{value}: {field:?}");
    }
    assert!(n_negative >= 5 && n_whole >= 5, "{n_negative} negative, {n_whole} whole");
    assert!(n_misread * 20 <= fields.len(), "{n_misread} of {}", fields.len());
}

/// The rows of a table, each by the names of its columns.
fn rows(path: &Path) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("it is readable");
    reader.deserialize().collect::<Result<_, _>>().expect("it is a table")
}

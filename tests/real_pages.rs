//! Real scans, where they are at hand: how much of what strangers wrote is read right with the weights that the program
//! carries. The bounds lie a little below what was measured, to tell a change for the worse from a machine that rounds
//! otherwise.

use std::path::{Path, PathBuf};

use crate::util::{STRIP, call, talk};

/// A set of real scans and what must come of it.
struct Case {
    name: &'static str,
    scans: &'static str,
    truth: &'static str,
    options: &'static [&'static str],
    /// Least share of the fields whose best reading is right, accepted or not.
    least_forced: f64,
    /// Most accepted fields that are wrong, as a share of the accepted ones.
    most_wrong: f64,
}

const CASES: [Case; 4] = [
    Case { name: "hsf", scans: "scans", truth: "truth.csv", options: &[], least_forced: 0.96, most_wrong: 0.0 },
    Case { name: "c1", scans: "scans", truth: "truth.csv", options: &[], least_forced: 0.93, most_wrong: 0.0 },
    Case { name: "mtc", scans: "scans", truth: "truth.csv", options: &[], least_forced: 0.97, most_wrong: 0.0 },
    Case {
        name: "car",
        scans: "images",
        truth: "values.csv",
        options: &["--pipeline", STRIP],
        least_forced: 0.83,
        most_wrong: 0.05,
    },
];

#[test]
fn strangers_are_read() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    for Case { name, scans, truth, options, least_forced, most_wrong } in CASES {
        let at = |file: &str| -> PathBuf { data.join(name).join(file) };
        if !at(scans).is_dir() {
            println!("skipped: no real scans at {}", at(scans).display());
            continue;
        }
        let out = format!("{name}.csv");
        let scans = at(scans).to_string_lossy().into_owned();
        let output = call(dir.path(), &[&["run", &scans, &out], options].concat());
        assert!(output.status.success(), "{name}: {}", talk(&output));
        let output = call(dir.path(), &["eval", "values", &out, &at(truth).to_string_lossy(), "--json"]);
        let score: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        let count = |key: &str| score[key].as_f64().expect("it is a count");
        let forced = count("forced_correct") / count("fields");
        assert!(forced >= least_forced, "{name}: {forced} forced right, {}", score["wrong"]);
        assert!(count("accepted_wrong") <= most_wrong * count("accepted"), "{name}: {}", score["wrong"]);
        assert_eq!(score["number_lost"], 0, "{name}: numbers taken for blank: {}", score["wrong"]);
        assert_eq!(score["illegible_accepted"], 0, "{name}");
    }
}

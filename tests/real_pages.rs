//! Real scans, where they are at hand: how much of what strangers wrote is read right with the weights that the program
//! carries. The bounds lie a little below what was measured, to tell a change for the worse from a machine that rounds
//! otherwise.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use formread::form::{Field, FieldKind, parse_template};

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

/// The antenatal records' tick boxes, in the template's order, and the pages on which these are ticked.
const TICKED: [(&str, &[&str]); 3] = [
    ("1-11-1--11-1-1--1-11-1--11-1-1--11-1--11-", &["scan_filled_form_1.png"]),
    (
        "-11---1-11--11--1-1-1-11--1-1-11--1-11-1-",
        &["scan_filled_form_2.png", "scan_upside_down.jpg", "phone_no_flash_skew.jpg"],
    ),
    (
        "----1-1-1-11--1-11-1--11--1-1-11--1-1-11-",
        &["scan_minor_skew.jpg", "scan_major_skew_no_cutoff.jpg", "phone_solid_pic_no_flash.jpg"],
    ),
];

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data")
}

#[test]
fn strangers_are_read() {
    let data = data();
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

#[test]
fn boxes_that_strangers_ticked_are_told_from_empty_ones() {
    let scans = data().join("mtc/scans");
    if !scans.is_dir() {
        println!("skipped: no real scans at {}", scans.display());
        return;
    }
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let text = [include_str!("../pipelines/mtc-antenatal.toml"), include_str!("mtc_marks.toml")].concat();
    let template = parse_template(&text).expect("it is well formed");
    fs::write(dir.path().join("marks.toml"), text).expect("it is writable");
    let scans = scans.to_string_lossy();
    let output = call(dir.path(), &["run", &scans, "out.csv", "--pipeline", "marks.toml"]);
    assert!(output.status.success(), "{}", talk(&output));
    let is_mark = |field: &&Field| matches!(field.kind, FieldKind::Mark { .. });
    let marks: HashSet<&str> = template.fields.iter().filter(is_mark).map(|field| field.name.as_str()).collect();

    let mut read: HashMap<String, (String, Vec<String>)> = HashMap::new();
    let mut rows = csv::Reader::from_path(dir.path().join("out.fields.csv")).expect("it was written");
    for row in rows.records() {
        let row = row.expect("it is a table");
        let [scan, name, state, guess] = [0, 3, 4, 6].map(|column| row[column].to_owned());
        if marks.contains(name.as_str()) {
            let (ticks, for_a_person) = read.entry(scan).or_default();
            ticks.push_str(match (state.as_str(), guess.as_str()) {
                ("accepted" | "review", "1") => "1",
                ("blank" | "review", "") => "-",
                _ => "0",
            });
            for_a_person.extend((state == "review").then_some(name));
        }
    }
    let (mut n, mut n_for_a_person) = (0, 0);
    for (ticks, pages) in TICKED {
        for page in pages {
            let (found, for_a_person) = &read[*page];
            assert_eq!(found, ticks, "{page}, for a person: {for_a_person:?}");
            n += ticks.len();
            n_for_a_person += for_a_person.len();
        }
    }
    assert!(100 * n_for_a_person <= n, "{n_for_a_person} of {n} are for a person");
}

//! Real scans, filled in by writers who are not in the training data, read with the shipped weights.
//!
//! The bounds are a little below the measured accuracy, because machines round differently.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use formread_core::form::{Field, FieldKind, parse_template};
use formread_page::{has_scan_extension, is_light_on_dark};
use image::imageops;

use crate::util::{STRIP, call, talk};

/// A set of real scans, and the bounds of its accuracy.
struct Case {
    name: &'static str,
    scans: &'static str,
    truth: &'static str,
    options: &'static [&'static str],
    /// Minimum share of fields whose best reading is right, accepted or not.
    min_forced: f64,
    /// Maximum share of wrong fields among the accepted ones.
    max_wrong: f64,
}

/// A form with a template of the program. No accepted field may be wrong.
const FORM: Case = Case { name: "", scans: "scans", truth: "truth.csv", options: &[], min_forced: 1.0, max_wrong: 0.0 };

/// Tick boxes of the antenatal records, in the template's order (`1` ticked, `-` empty), and the pages that have them so.
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

/// Reads a set of scans and checks its accuracy against the ground truth.
#[track_caller]
fn assert_within_bounds(case: &Case) {
    let Case { name, scans, truth, options, min_forced, max_wrong } = *case;
    let path = |file: &str| data().join(name).join(file).to_string_lossy().into_owned();
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let output = call(dir.path(), &[&["run", &path(scans), "out.csv"], options].concat());
    assert!(output.status.success(), "{name}: {}", talk(&output));
    let output = call(dir.path(), &["eval", "values", "out.csv", &path(truth), "--json"]);
    let score: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let count = |key: &str| score[key].as_f64().expect("it is a count");
    let forced = count("forced_correct") / count("fields");
    assert!(forced >= min_forced, "{name}: the best reading is right for {forced}, {}", score["wrong"]);
    assert!(count("accepted_wrong") <= max_wrong * count("accepted"), "{name}: {}", score["wrong"]);
    assert_eq!(score["number_lost"], 0, "{name}: numbers read as blank: {}", score["wrong"]);
    assert_eq!(score["illegible_accepted"], 0, "{name}");
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn hsf_pages_are_read_within_the_bounds() {
    assert_within_bounds(&Case { name: "hsf", min_forced: 0.96, ..FORM });
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn c1_pages_are_read_within_the_bounds() {
    assert_within_bounds(&Case { name: "c1", min_forced: 0.93, ..FORM });
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn mtc_pages_are_read_within_the_bounds() {
    assert_within_bounds(&Case { name: "mtc", min_forced: 0.97, ..FORM });
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn car_strips_are_read_within_the_bounds() {
    let (scans, truth, options) = ("images", "values.csv", &["--pipeline", STRIP]);
    assert_within_bounds(&Case { name: "car", scans, truth, options, min_forced: 0.82, max_wrong: 0.05 });
}

/// Every `step`th picture of a data set, in the order of the names.
fn pictures(set: &str, step: usize) -> Vec<PathBuf> {
    let entries =
        walkdir::WalkDir::new(data().join(set)).into_iter().map(|entry| entry.expect("the folder can be listed"));
    let paths = entries.map(walkdir::DirEntry::into_path);
    let mut paths: Vec<PathBuf> = paths.filter(|path| has_scan_extension(&path.to_string_lossy())).collect();
    paths.sort();
    paths.into_iter().step_by(step).collect()
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn real_scan_is_dark_on_light_and_its_negative_is_light_on_dark() {
    let sets = [("c1", 1), ("hsf", 1), ("mtc", 1), ("car", 16), ("digits-ch", 100)];
    let mut wrong = Vec::new();
    for path in sets.iter().flat_map(|(set, step)| pictures(set, *step)) {
        let mut image = image::open(&path).expect("it is an image").into_luma8();
        let is_dark_on_light = !is_light_on_dark(&image);
        imageops::invert(&mut image);
        if !is_dark_on_light || !is_light_on_dark(&image) {
            wrong.push(path);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn real_tick_boxes_are_read_right_and_few_need_review() {
    let scans = data().join("mtc/scans");
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let text = [include_str!("../pipelines/mtc-antenatal.toml"), include_str!("mtc_marks.toml")].concat();
    let template = parse_template(&text).expect("the template is well formed");
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
            let (ticks, need_review) = read.entry(scan).or_default();
            ticks.push_str(match (state.as_str(), guess.as_str()) {
                ("accepted" | "review", "1") => "1",
                ("blank" | "review", "") => "-",
                _ => "0",
            });
            need_review.extend((state == "review").then_some(name));
        }
    }
    let (mut n, mut n_review) = (0, 0);
    for (ticks, pages) in TICKED {
        for page in pages {
            let (read_ticks, need_review) = &read[*page];
            assert_eq!(read_ticks, ticks, "{page}, for review: {need_review:?}");
            n += ticks.len();
            n_review += need_review.len();
        }
    }
    assert!(100 * n_review <= n, "{n_review} of {n} need review");
}

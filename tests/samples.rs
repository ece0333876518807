//! Training data from what people settled: its pictures are what was settled, by page, and nothing is lost without a word.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
    sync::mpsc,
};

use formread_review::{Event, Journal, RunPaths, identities};
use serde_json::{Value, json};

use crate::util::{call, names, talk};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
const SAMPLES: [&str; 7] = ["review", "samples", "out.csv", "--scans", "scans", "--out", "samples"];

fn succeeds(folder: &Path, args: &[&str]) -> Value {
    let output = call(folder, &[args, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", talk(&output));
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut table = csv::Reader::from_path(path).expect("the table is there");
    table.deserialize().map(|row| row.expect("it has its columns")).collect()
}

/// A run of the fixtures, of which two people have read every field as it is written. Returns the fields: scan, page, field, value.
fn reviewed(folder: &Path) -> BTreeSet<[String; 4]> {
    for scan in ["office/page-0001.jpg", "office/page-0002.jpg", "skewed/page-0001.png", "feeder/file-0001.tif"] {
        let to = folder.join("scans").join(scan);
        fs::create_dir_all(to.parent().expect("it is in a folder")).expect("the folder is writable");
        fs::copy(format!("{FIXTURES}/scans/{scan}"), to).expect("the fixture is there");
    }
    // a copy has the answers of the first file, and gives nothing twice
    fs::copy(folder.join("scans/office/page-0001.jpg"), folder.join("scans/office/page-0003.jpg"))
        .expect("the folder is writable");
    let output = call(folder, &["run", "scans", "out.csv", "--quiet"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let files = ["out.run.json", "out.readings.jsonl"].map(|name| folder.join(name));
    let (identity, readings) =
        identities(RunPaths { record: &files[0], readings: &files[1] }).expect("the run is whole");
    let (journal, _) = Journal::open(&folder.join("out.review.jsonl"), identity, readings).expect("it is new");
    let mut settled = BTreeSet::new();
    let (sender, receiver) = mpsc::channel();
    let store = |event: Value| {
        let (event, sender): (Event, _) = (serde_json::from_value(event).expect("it is an event"), sender.clone());
        journal.append(event, Box::new(move |stored| sender.send(stored).expect("it is awaited")));
        receiver.recv().expect("it comes").expect("the disk has room");
    };
    store(json!({ "settings": { "audit": 1000, "two_person": [], "second_look_percent": 2 } }));
    for page in rows(Path::new(&format!("{FIXTURES}/truth.csv"))) {
        if !folder.join("scans").join(&page["scan"]).exists() {
            continue;
        }
        for (field, value) in page.iter().filter(|(name, _)| !["scan", "page"].contains(&name.as_str())) {
            let answer = match value.as_str() {
                "?" | "!" => continue,
                "" => json!("blank"),
                value => json!({ "value": value }),
            };
            for who in ["ann", "ben"] {
                let id = format!("{who}-{}", settled.len());
                let number: u32 = page["page"].parse().expect("it is a number");
                store(json!({ "answer": { "id": id, "scan": page["scan"], "page": number, "field": field, "who": who,
                                          "answer": answer, "at": 7 } }));
            }
            settled.insert([page["scan"].clone(), page["page"].clone(), field.clone(), value.clone()]);
        }
    }
    settled
}

fn key(row: &BTreeMap<String, String>) -> [String; 4] {
    ["scan", "page", "field", "value"].map(|column| row[column].clone())
}

#[test]
fn pictures_are_what_people_settled_and_every_settled_field_is_accounted_for() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    let settled = reviewed(dir);
    let report = succeeds(dir, &[&SAMPLES[..], &["--held-out", "0"]].concat());
    let folder = dir.join("samples");
    let pictures = rows(&folder.join("samples.csv"));
    let left_out = rows(&folder.join("left-out.csv"));

    // each field is cut or named with a reason, once
    let mut digits: BTreeMap<[String; 4], String> = BTreeMap::new();
    let mut page_of: BTreeMap<String, BTreeSet<[String; 2]>> = BTreeMap::new();
    for row in &pictures {
        let mut parts = row["picture"].split('/');
        let (page, digit) = (parts.next().expect("a page"), parts.next().expect("a digit"));
        digits.entry(key(row)).or_default().push_str(digit);
        page_of.entry(page.to_owned()).or_default().insert([row["scan"].clone(), row["page"].clone()]);
        assert!(folder.join(&row["picture"]).is_file());
    }
    let named: BTreeSet<_> = left_out.iter().map(key).collect();
    let cut: BTreeSet<_> = digits.keys().cloned().collect();
    assert_eq!(cut.union(&named).cloned().collect::<BTreeSet<_>>(), settled);
    assert_eq!(cut.len() + left_out.len(), settled.len(), "none is both");
    let blank = |row: &&BTreeMap<String, String>| row["reason"] == "blank";
    let n_blank = settled.iter().filter(|[.., value]| value.is_empty()).count();
    assert_eq!(left_out.iter().filter(blank).count(), n_blank);
    let n_not_cut = left_out.len() - n_blank;
    assert!(n_not_cut * 10 <= cut.len(), "{n_not_cut} of {} fields are not cut", cut.len());

    // the digits of a field are those of its value, with zeros before it where they are written
    for ([scan, page, field, value], digits) in &digits {
        let of_value: String = value.chars().filter(char::is_ascii_digit).collect();
        let sorted = |text: &str| text.bytes().collect::<std::collections::BinaryHeap<_>>().into_sorted_vec();
        let is_value = match value.as_bytes().get(4) {
            // a date is written in the order of its form, its year with four digits or two
            Some(b'-') => sorted(digits) == sorted(&of_value[8 - digits.len()..]),
            _ => digits.trim_start_matches('0') == of_value.trim_start_matches('0'),
        };
        assert!(is_value, "{scan} {page} {field}: {digits} of {value}");
    }

    // a page has a folder of its own, and training reads each as a writer
    assert!(page_of.values().all(|pages| pages.len() == 1), "{page_of:?}");
    let set = formread_tools::dataset::read_folder(&folder).expect("it has digits").train.expect("it is one half");
    assert_eq!(set.writers, page_of.keys().cloned().collect::<Vec<_>>());
    assert_eq!(set.samples.len(), pictures.len());
    let n = |of: &str| report[of].as_u64().map(|n| n as usize);
    assert_eq!((n("digits"), n("fields"), n("pages")), (Some(pictures.len()), Some(cut.len()), Some(page_of.len())));
    assert_eq!(report["left_out"]["blank"], n_blank);

    // a net takes them for what they are
    let score = succeeds(dir, &["eval", "glyphs", "samples"]);
    let accuracy = score["accuracy"].as_f64().expect("it is a share");
    println!("{} digits of {} fields, accuracy {accuracy}, not cut {n_not_cut}", pictures.len(), cut.len());
    assert!(accuracy >= 0.97, "{accuracy}");
}

#[test]
fn held_out_files_give_no_picture_and_their_truth() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    let settled = reviewed(dir);
    // a share that parts these files
    let report = succeeds(dir, &[&SAMPLES[..], &["--held-out", "0.6"]].concat());
    let folder = dir.join("samples");
    let cut: BTreeSet<String> = rows(&folder.join("samples.csv")).iter().map(|row| row["scan"].clone()).collect();
    let truth = rows(&folder.join("held-out.csv"));
    let held_out: BTreeSet<String> = truth.iter().map(|row| row["scan"].clone()).collect();
    assert!(!cut.is_empty() && !held_out.is_empty() && cut.is_disjoint(&held_out), "{cut:?} {held_out:?}");
    let all: BTreeSet<String> = settled.iter().map(|[scan, ..]| scan.clone()).collect();
    assert_eq!(cut.union(&held_out).cloned().collect::<BTreeSet<_>>(), all);
    for [scan, page, field, value] in settled.iter().filter(|[scan, ..]| held_out.contains(scan)) {
        let row = truth.iter().find(|row| row["scan"] == *scan && row["page"] == *page).expect("the page is there");
        assert_eq!(&row[field], value, "{scan} {page} {field}");
    }
    assert_eq!(report["held_out_pages"], truth.len());

    // the list reads just these files, under the names of the truth
    let list = fs::read_to_string(folder.join("held-out.list")).expect("it is there");
    let listed: BTreeSet<String> = list.split_terminator('\0').map(str::to_owned).collect();
    assert_eq!(listed, held_out);
    let scans = dir.join("scans");
    let output = crate::util::call_with_input(&scans, &["run", "-", "../again.csv", "--quiet"], &list);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let paired = call(dir, &["eval", "paired", "out.csv", "again.csv", "samples/held-out.csv", "--json"]);
    let paired: Value = serde_json::from_slice(&paired.stdout).expect("it is JSON");
    let n_fields = settled.iter().filter(|[scan, ..]| held_out.contains(scan)).count();
    assert_eq!(paired["fields"], n_fields);
    assert_eq!((&paired["only_a_right"], &paired["only_b_right"]), (&json!(0), &json!(0)), "it is the same reader");
}

#[test]
fn samples_replace_nothing_but_samples() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    reviewed(dir);
    let call_into = |folder: &str, more: &[&str]| {
        let args = ["review", "samples", "out.csv", "--scans", "scans", "--out", folder];
        call(dir, &[&args[..], more].concat())
    };
    fs::create_dir(dir.join("mine")).expect("the folder is writable");
    fs::write(dir.join("mine/letter.txt"), "dear").expect("the folder is writable");
    let before = names(dir);
    for (folder, more, part) in [
        ("mine", &[][..], "not empty"),
        ("mine", &["--overwrite"], "not empty"),
        ("scans", &["--overwrite"], "among the scans"),
        ("scans/office", &["--overwrite"], "among the scans"),
        ("scans/new", &[], "among the scans"),
        ("out.csv", &["--overwrite"], "not a folder"),
        ("none/samples", &[], "none"),
        ("samples", &["--held-out", "1.5"], "from 0 to 1"),
    ] {
        let output = call_into(folder, more);
        assert_eq!(output.status.code(), Some(2), "{folder}");
        assert!(talk(&output).contains(part), "{folder}: {}", talk(&output));
    }
    assert_eq!(names(dir), before, "nothing was written");
    assert_eq!(call_into("samples", &[]).status.code(), Some(0));
    assert_eq!(call_into("samples", &[]).status.code(), Some(2), "they are there");
    fs::write(dir.join("samples/page-000001/old.png"), "").expect("the folder is writable");
    assert_eq!(call_into("samples", &["--overwrite"]).status.code(), Some(0));
    assert!(!dir.join("samples/page-000001/old.png").exists(), "the folder is a new one");
    // a scan that changed is not cut: its fields are named
    let scan = dir.join("scans/skewed/page-0001.png");
    fs::copy(format!("{FIXTURES}/scans/office/page-0002.jpg"), &scan).expect("the folder is writable");
    let report = succeeds(dir, &[&SAMPLES[..], &["--overwrite", "--held-out", "0"]].concat());
    let left_out = rows(&dir.join("samples/left-out.csv"));
    let of_scan = left_out.iter().filter(|row| row["scan"] == "skewed/page-0001.png");
    assert!(of_scan.clone().count() > 0 && of_scan.clone().all(|row| row["reason"] == "scan-changed"));
    assert_eq!(report["left_out"]["scan-changed"], of_scan.count());
    // samples that hold an input are not replaced
    fs::copy(dir.join("out.csv"), dir.join("samples/out.csv")).expect("the folder is writable");
    for name in ["out.run.json", "out.readings.jsonl", "out.fields.csv"] {
        fs::copy(dir.join(name), dir.join("samples").join(name)).expect("the folder is writable");
    }
    let args = ["review", "samples", "samples/out.csv", "--scans", "scans", "--out", "samples", "--overwrite"];
    let output = call(dir, &args);
    assert_eq!(output.status.code(), Some(2));
    assert!(talk(&output).contains("an input is in the folder"), "{}", talk(&output));
}

/// Calls `pipelines/refresh` with a stand-in for the program, whose comparisons end with these statuses: on what is held out, and on
/// the fixed deck. Returns its status.
fn refresh(folder: &Path, held_out: u8, deck: u8, train: u8) -> Option<i32> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/refresh");
    let mut command = Command::new(script);
    command.args(["my scans", "out.csv", "my model.safetensors", "digits"]).current_dir(folder);
    command.env("FORMREAD", folder.join("stand-in")).env("DECKS", folder.join("deck"));
    for (name, status) in [("HELD_OUT", held_out), ("DECK", deck), ("TRAIN_STATUS", train)] {
        command.env(name, status.to_string());
    }
    command.output().expect("there is a shell").status.code()
}

#[cfg(unix)]
#[test]
fn candidate_is_promoted_only_where_every_comparison_agrees() {
    use std::os::unix::fs::PermissionsExt;

    const STAND_IN: &str = r#"#!/usr/bin/env bash
set -e
echo "$*" >>"${0%/*}/calls"
case "$1 $2" in
"review samples") mkdir -p out.refresh/samples; printf 'a b.png\0' >out.refresh/samples/held-out.list ;;
"train --further") [ "$TRAIN_STATUS" = 0 ] || exit "$TRAIN_STATUS"
    echo new >out.refresh/candidate.safetensors; echo new >out.refresh/candidate.json ;;
"run -") grep --quiet --text png - ;;
"eval paired") case "$*" in *--no-loss*) exit "$DECK" ;; *) exit "$HELD_OUT" ;; esac ;;
*) exit 2 ;;
esac
"#;
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    let write = |name: &str, text: &str| fs::write(dir.join(name), text).expect("the folder is writable");
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap_or_default();
    fs::create_dir_all(dir.join("deck/scans")).expect("the folder is writable");
    fs::create_dir(dir.join("my scans")).expect("the folder is writable");
    write("deck/scans/c.png", "");
    write("stand-in", STAND_IN);
    fs::set_permissions(dir.join("stand-in"), PermissionsExt::from_mode(0o755)).expect("it is ours");
    for (held_out, deck, train, status) in
        [(1, 0, 0, 1), (0, 1, 0, 1), (1, 1, 0, 1), (2, 0, 0, 2), (0, 2, 0, 2), (0, 0, 2, 2)]
    {
        write("my model.safetensors", "old");
        write("my model.json", "old");
        assert_eq!(refresh(dir, held_out, deck, train), Some(status), "{held_out} {deck} {train}");
        let model = ["my model.safetensors", "my model.json"].map(read);
        assert_eq!(model, ["old", "old"], "{held_out} {deck} {train}");
    }
    assert!(!dir.join("my model.before.json").exists());
    assert_eq!(refresh(dir, 0, 0, 0), Some(0));
    let names = ["my model.safetensors", "my model.json", "my model.before.safetensors", "my model.before.json"];
    assert_eq!(names.map(read), ["new\n", "new\n", "old", "old"]);
    let is_further =
        |call: &str, from_model: bool| call.starts_with("train --further") && call.contains("--base") == from_model;
    assert!(read("calls").lines().any(|call| is_further(call, true)), "training starts from the model");
    let decision = read("out.refresh/decision.txt");
    assert!(decision.contains("== held-out\n== deck-deck\npromoted: "), "{decision}");
    // the first model of a place: what it is compared with are the built-in weights
    fs::remove_file(dir.join("my model.safetensors")).expect("it is there");
    write("calls", "");
    assert_eq!(refresh(dir, 0, 0, 0), Some(0));
    let calls = read("calls");
    assert!(calls.lines().any(|call| is_further(call, false)), "training starts from the built-in weights: {calls}");
    let of_current = calls.lines().filter(|call| call.contains("-current.csv") && call.starts_with("run"));
    assert!(of_current.clone().count() == 2 && of_current.clone().all(|call| !call.contains("--model")), "{calls}");
    assert_eq!(
        calls.lines().filter(|call| call.starts_with("run") && call.contains("candidate.safetensors")).count(),
        2
    );
}

/// A net that unlearns in large steps is a bad one: the whole of `pipelines/refresh` with the program itself.
#[cfg(unix)]
#[test]
#[ignore = "it trains"]
fn torture_refresh_says_why_a_bad_candidate_is_not_promoted() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    reviewed(dir);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/refresh");
    let mut command = Command::new(script);
    command.args(["scans", "out.csv", "model.safetensors"]).current_dir(dir).env("FORMREAD", crate::util::PROGRAM);
    command.env("TRAIN", "--net glyphs --epochs 1 --lr 0.3 --drawn-writers 1 --held-out 0");
    let output = command.output().expect("there is a shell");
    println!("{}{}", String::from_utf8_lossy(&output.stdout), talk(&output));
    assert_eq!(output.status.code(), Some(1));
    let decision = fs::read_to_string(dir.join("out.refresh/decision.txt")).expect("it was written");
    for part in
        ["== held-out", "B is not proved better: it reads no more fields right", "== deck-fixtures", "not promoted: "]
    {
        assert!(decision.contains(part), "{decision}");
    }
    assert!(!dir.join("model.safetensors").exists());
}

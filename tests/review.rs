//! The review of a run by the program: its server is asked as the page asks it, and the answers go into tables and databases.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    review_server::{Server, list_reviewers},
    util::{STRIP, call, names, talk, write_strips},
};

/// What both people key, whatever they see.
const KEYED: &str = "7";
/// As many as the run accepts.
const N_AUDITED: u64 = 1;

/// A server for the people in `reviewers`, of strips.
fn start(folder: &Path, more: &[&str]) -> Server {
    let audit = N_AUDITED.to_string();
    let args = ["--scans", "in", "--reviewers", "reviewers", "--audit", &audit, "--pipeline", STRIP];
    Server::start(folder, &[&args[..], more].concat())
}

/// Answers all fields that a person is asked. Returns how many they were, and what the page shows at the end.
fn answer_all(server: &Server, token: &str) -> (usize, Value) {
    let cookie = server.enter(token);
    let (_, _, mut hand) = server.post("/api/hand", &cookie, &json!({}));
    let mut n = 0;
    while let Some(item) = hand["fields"].get(0).map(|field| field["item"].clone()) {
        let answer = json!({ "id": format!("{token}-{n}"), "item": item, "keyed": KEYED });
        let (status, _, next) = server.post("/api/answer", &cookie, &answer);
        assert_eq!(status, 200, "{next}");
        hand = next;
        n += 1;
    }
    let (_, _, summary) = server.post("/api/summary", &cookie, &json!({}));
    (n, summary)
}

/// A run of strips and of a file that is no picture, in `numbers.sqlite` as well, and two reviewers.
fn run(folder: &Path) {
    write_strips(&folder.join("in"), 0..8);
    fs::write(folder.join("in/bad.png"), "no picture").expect("the folder is writable");
    let output = call(folder, &["run", "in", "out.csv", "--pipeline", STRIP, "--also", "numbers.sqlite"]);
    assert_eq!(output.status.code(), Some(1), "one file is unreadable: {}", talk(&output));
    list_reviewers(folder, &["ann", "ben"]);
}

#[track_caller]
fn succeeds(folder: &Path, args: &[&str]) -> String {
    let output = call(folder, args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", talk(&output));
    String::from_utf8_lossy(&output.stdout).into_owned() + &talk(&output)
}

fn bytes(folder: &Path, names: [&str; 2]) -> [Vec<u8>; 2] {
    names.map(|name| fs::read(folder.join(name)).expect("it was written"))
}

const APPLY: [&str; 8] = ["review", "apply", "out.csv", "--out", "final.csv", "--overwrite", "--pipeline", STRIP];

#[test]
fn answers_of_two_people_go_into_the_final_tables_and_the_databases() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    run(dir);
    let server = start(dir, &[]);
    let (n, _) = answer_all(&server, "ann");
    let (again, summary) = answer_all(&server, "ben");
    assert!(n as u64 > N_AUDITED && n == again, "{n}, {again}");
    assert_eq!(summary["pages_to_see"], json!({ "unreadable": 1 }));
    assert_eq!(summary["may_see_pages"], false);
    drop(server);

    let status = ["review", "status", "out.csv", "--pipeline", STRIP];
    let read: Value = serde_json::from_str(&succeeds(dir, &[&status[..], &["--json"]].concat())).expect("it is JSON");
    assert_eq!((read["settled"].as_u64(), read["answers"].as_u64()), (Some(n as u64), Some(2 * n as u64)));
    let audit = &read["audit"];
    assert_eq!([&audit["drawn"], &audit["read"], &audit["wrong"]].map(Value::as_u64), [Some(N_AUDITED); 3]);
    assert_eq!(read["pages_to_see"], json!([{ "scan": "bad.png", "page": 1, "reason": "unreadable" }]));
    let text = succeeds(dir, &status);
    assert!(
        text.contains("bad.png page 1: unreadable") && text.contains("errors of the accepted fields: 100.00 %"),
        "{text}"
    );

    let also = ["--also", "numbers.sqlite", "--also", "numbers.parquet"];
    let said = succeeds(dir, &[&APPLY[..], &also].concat());
    assert!(said.contains(&format!("numbers.sqlite: 0 new pages, {n} replaced")), "{said}");
    let finals = bytes(dir, ["final.csv", "final.fields.csv"]);
    let settled = String::from_utf8_lossy(&finals[0])
        .lines()
        .filter(|line| line.ends_with(&format!(",accepted,,{KEYED}")))
        .count();
    assert_eq!(settled, n);
    for place in ["numbers.sqlite", "numbers.parquet"] {
        succeeds(dir, &["dump", place, "dumped.csv", "--overwrite"]);
        assert_eq!(bytes(dir, ["dumped.csv", "dumped.fields.csv"]), finals, "{place}");
    }
    let said = succeeds(dir, &["load", "out.csv", "--to", "numbers.sqlite", "--pipeline", STRIP]);
    assert!(said.contains(&format!("{n} that stay as a person settled them")), "{said}");
    let said = succeeds(dir, &[&APPLY[..], &also].concat());
    assert!(said.contains("0 new pages, 0 replaced"), "the same answers change nothing: {said}");
    assert_eq!(bytes(dir, ["final.csv", "final.fields.csv"]), finals);
}

#[test]
fn tables_of_a_review_do_not_replace_files_of_the_run() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    run(dir);
    fs::write(dir.join("there.parquet"), "").expect("the folder is writable");
    let before = names(dir);
    for (out, more, part) in [
        ("out.csv", &["--overwrite"][..], "the output is an input"),
        ("out.fields.csv", &["--overwrite"], "the output is an input"),
        ("final.csv", &["--also", "there.parquet"], "already exists"),
        ("final.csv", &["--also", "numbers.xls"], "no place for tables"),
        ("none/final.csv", &[], "none/final.csv"),
    ] {
        let args = [&["review", "apply", "out.csv", "--out", out, "--pipeline", STRIP], more].concat();
        let output = call(dir, &args);
        assert_eq!(output.status.code(), Some(2), "{out}");
        assert!(talk(&output).contains(part), "{out}: {}", talk(&output));
    }
    let output = call(dir, &["review", "truth", "out.csv", "--out", "out.csv", "--overwrite", "--pipeline", STRIP]);
    assert_eq!(output.status.code(), Some(2), "{}", talk(&output));
    assert_eq!(names(dir), before, "nothing was written");
}

#[test]
fn decisions_on_pages_are_kept_once_and_are_in_the_final_tables() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    run(dir);
    // nobody sees pages, or names of scans, where that is not allowed
    let server = start(dir, &["--context", "strip"]);
    let cookie = server.enter("ann");
    for (path, body) in [
        ("/api/pages", json!({})),
        ("/api/page", json!({ "id": "x", "page": 0, "decision": "no-form" })),
        ("/api/page/take-back", json!({ "page": 0 })),
    ] {
        let (status, _, reply) = server.post(path, &cookie, &body);
        assert_eq!((status, &reply["fault"]), (403, &json!("not-asked")), "{path}");
    }
    drop(server);

    let server = start(dir, &["--context", "page"]);
    let [ann, ben] = ["ann", "ben"].map(|token| server.enter(token));
    let (_, _, list) = server.post("/api/pages", &ann, &json!({}));
    let page = json!({ "idx": 0, "scan": "bad.png", "page": 1, "reason": "unreadable" });
    assert_eq!(list, json!({ "pages": [page], "open": 1, "all": 1 }));
    let decide = |cookie: &str, id: &str, decision: &str| {
        let (status, _, reply) =
            server.post("/api/page", cookie, &json!({ "id": id, "page": 0, "decision": decision }));
        (status, reply)
    };
    assert_eq!(decide(&ann, "1", "nothing-to-book").0, 404, "nothing is written beside fields that are not there");
    let (status, list) = decide(&ann, "1", "no-form");
    assert_eq!((status, &list["open"], &list["pages"][0]["decision"]), (200, &json!(0), &json!("no-form")));
    assert_eq!(decide(&ann, "1", "no-form").0, 200, "it was sent twice");
    assert_eq!(decide(&ben, "2", "scan-again").0, 409, "it is decided");
    assert_eq!(server.post("/api/page/take-back", &ben, &json!({ "page": 0 })).0, 409, "it is not his");
    assert_eq!(server.post("/api/page/take-back", &ann, &json!({ "page": 0 })).0, 200);
    assert_eq!(decide(&ben, "3", "scan-again").0, 200);
    drop(server);

    let server = start(dir, &["--context", "page"]);
    let (_, _, list) = server.post("/api/pages", &server.enter("ann"), &json!({}));
    assert_eq!((&list["open"], &list["pages"][0]["who"]), (&json!(0), &json!("ben")), "the journal has it");
    drop(server);
    let status = succeeds(dir, &["review", "status", "out.csv", "--pipeline", STRIP]);
    assert!(status.contains("bad.png page 1: unreadable: scan-again (ben)"), "{status}");
    succeeds(dir, &APPLY);
    let settled = fs::read_to_string(dir.join("final.review.csv")).expect("it was written");
    assert_eq!(settled.lines().nth(1), Some("bad.png,1,,,unreadable,,ben=scan-again,,,"), "{settled}");
    let table = fs::read_to_string(dir.join("final.csv")).expect("it was written");
    assert!(table.contains("bad.png,1,,rejected,unreadable"), "a page that was given back stays rejected: {table}");
}

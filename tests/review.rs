//! The review of a run by the program: its server is asked as the page asks it, and the answers go into tables and databases.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Stdio},
};

use serde_json::{Value, json};

use crate::util::{STRIP, call, formread, names, talk, write_strips};

/// What both people key, whatever they see.
const KEYED: &str = "7";
/// As many as the run accepts.
const N_AUDITED: u64 = 1;

/// A server of the review of `out.csv` for the people in `reviewers`.
struct Server {
    child: Child,
    host: String,
}

impl Server {
    fn start(folder: &Path, more: &[&str]) -> Self {
        let audit = N_AUDITED.to_string();
        let args =
            ["review", "out.csv", "--scans", "in", "--reviewers", "reviewers", "--audit", &audit, "--pipeline", STRIP];
        let args = [&args[..], more].concat();
        let mut command = formread(folder);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program can be started");
        let mut address = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut address).expect("the first line is the address");
        let host = address.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        assert!(host.starts_with("127.0.0.1:"), "{address}");
        Self { child, host }
    }

    /// Posts JSON. Returns the status, the cookie that was set, and the answer.
    fn post(&self, path: &str, cookie: &str, body: &Value) -> (u16, String, Value) {
        let (host, body) = (&self.host, body.to_string());
        let mut stream = TcpStream::connect(host).expect("it listens");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).expect("it reads");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("it answers");
        let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {reply}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status is a number");
        let cookies = head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = cookies.filter_map(|cookie| cookie.split(';').next()).collect();
        (status, cookie, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Begins a session: its cookie.
    fn enter(&self, token: &str) -> String {
        let (status, cookie, _) = self.post("/api/enter", "", &json!({ "token": token }));
        assert_eq!(status, 200);
        cookie
    }

    /// Answers all fields that a person is asked. Returns how many they were, and what the page shows at the end.
    fn answer_all(&self, token: &str) -> (usize, Value) {
        let cookie = self.enter(token);
        let (_, _, mut hand) = self.post("/api/hand", &cookie, &json!({}));
        let mut n = 0;
        while let Some(item) = hand["fields"].get(0).map(|field| field["item"].clone()) {
            let answer = json!({ "id": format!("{token}-{n}"), "item": item, "keyed": KEYED });
            let (status, _, next) = self.post("/api/answer", &cookie, &answer);
            assert_eq!(status, 200, "{next}");
            hand = next;
            n += 1;
        }
        let (_, _, summary) = self.post("/api/summary", &cookie, &json!({}));
        (n, summary)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A run of strips and of a file that is no picture, in `numbers.sqlite` as well, and two reviewers.
fn run(folder: &Path) {
    write_strips(&folder.join("in"), 0..8);
    fs::write(folder.join("in/bad.png"), "no picture").expect("the folder is writable");
    let output = call(folder, &["run", "in", "out.csv", "--pipeline", STRIP, "--also", "numbers.sqlite"]);
    assert_eq!(output.status.code(), Some(1), "one file is unreadable: {}", talk(&output));
    let hash = |token: &str| formread_raster::hash::sha256(token.as_bytes());
    let list = ["ann", "ben"].map(|name| format!("{name} {}\n", hash(name))).concat();
    fs::write(folder.join("reviewers"), list).expect("the folder is writable");
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
    let server = Server::start(dir, &[]);
    let (n, _) = server.answer_all("ann");
    let (again, summary) = server.answer_all("ben");
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
    let server = Server::start(dir, &["--context", "strip"]);
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

    let server = Server::start(dir, &["--context", "page"]);
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

    let server = Server::start(dir, &["--context", "page"]);
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

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
    let page = json!({ "idx": 0, "scan": "bad.png", "page": 1, "reason": "unreadable", "can_be_keyed": false });
    let forms = json!([{ "name": "strip", "title": "A strip of digits" }]);
    assert_eq!(list, json!({ "pages": [page], "forms": forms, "open": 1, "all": 1 }));
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

/// No field is drawn for a second person: which are drawn depends on the build.
const NOT_BY_CHANCE: [&str; 2] = ["--second-looks", "0"];

const FORMS: [&str; 2] = ["pipelines/c1-2019.toml", "pipelines/tax-return.toml"];

/// The options that name the forms of the tests with pages.
fn forms() -> Vec<String> {
    let root = env!("CARGO_MANIFEST_DIR");
    FORMS.iter().flat_map(|form| ["--pipeline".to_owned(), format!("{root}/{form}")]).collect()
}

/// A run of a photograph, of its copy, and of a file that is no picture.
fn run_of_strange_pages(folder: &Path) {
    let photograph = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/decode/colour.jpg");
    fs::create_dir(folder.join("in")).expect("the folder is writable");
    for name in ["a.jpg", "b.jpg"] {
        fs::copy(photograph, folder.join("in").join(name)).expect("the fixture is there");
    }
    fs::write(folder.join("in/bad.png"), "no picture").expect("the folder is writable");
    let forms = forms();
    let args: Vec<&str> = ["run", "in", "out.csv"].into_iter().chain(forms.iter().map(String::as_str)).collect();
    let output = call(folder, &args);
    assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
    list_reviewers(folder, &["ann", "ben"]);
}

/// The fields of the hand that are asked on a whole page: number and name.
fn fields_on_pages(hand: &Value) -> Vec<(u64, String)> {
    let fields = hand["fields"].as_array().expect("it is a list").iter().filter(|field| field["is_page"] == true);
    fields
        .map(|field| {
            (field["item"].as_u64().expect("it has a number"), field["field"].as_str().unwrap_or("").to_owned())
        })
        .collect()
}

#[test]
fn rejected_page_is_keyed_as_the_form_that_somebody_chose() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    run_of_strange_pages(dir);
    let forms = forms();
    let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
    let with_forms = |args: &[&'static str]| -> String { succeeds(dir, &[args, &forms].concat()) };
    let serve = |context: &'static str| {
        Server::start(
            dir,
            &[&["--scans", "in", "--reviewers", "reviewers", "--context", context][..], &NOT_BY_CHANCE, &forms[..]]
                .concat(),
        )
    };
    let server = serve("page");
    let [ann, ben] = ["ann", "ben"].map(|token| server.enter(token));
    let post = |cookie: &str, path: &str, body: Value| {
        let (status, _, reply) = server.post(path, cookie, &body);
        (status, reply)
    };
    let (_, list) = post(&ann, "/api/pages", json!({}));
    assert_eq!(list["forms"].as_array().map(Vec::len), Some(2));
    let can_be_keyed = |idx: usize| (&list["pages"][idx]["scan"], &list["pages"][idx]["can_be_keyed"]);
    assert_eq!(can_be_keyed(0), (&json!("a.jpg"), &json!(true)), "the copy is not in the list");
    assert_eq!(can_be_keyed(1), (&json!("bad.png"), &json!(false)), "it has no picture");
    let choose = |cookie: &str, id: &str, page: usize, form: &str| {
        post(cookie, "/api/page", json!({ "id": id, "page": page, "decision": { "form": form } })).0
    };
    assert_eq!(choose(&ann, "1", 1, "c1-2019"), 404, "it has no picture");
    assert_eq!(choose(&ann, "1", 0, "no-such-form"), 404);
    // a wrong form is taken back, and what was keyed with it
    assert_eq!(choose(&ann, "1", 0, "tax-return"), 200);
    let (_, hand) = post(&ann, "/api/hand", json!({}));
    let wrong = fields_on_pages(&hand)[0].0;
    let key = |cookie: &str, id: &str, item: u64, keyed: &str| {
        post(cookie, "/api/answer", json!({ "id": id, "item": item, "keyed": keyed })).0
    };
    assert_eq!(key(&ann, "w", wrong, "311226"), 200);
    assert_eq!(post(&ben, "/api/page/take-back", json!({ "page": 0 })).0, 409, "it is not his");
    assert_eq!(post(&ann, "/api/page/take-back", json!({ "page": 0 })).0, 200);
    assert_eq!(key(&ann, "x", wrong, "311226"), 404, "it is asked no more");
    assert_eq!(post(&ann, "/api/undo", json!({})).0, 409, "it was taken back with the page");
    assert_eq!(choose(&ben, "2", 0, "c1-2019"), 200);

    // his fields come one after the other, on the picture of the page
    let (_, hand) = post(&ben, "/api/hand", json!({}));
    let fields = fields_on_pages(&hand);
    let names: Vec<&str> = fields.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names[..2], ["votes_01", "votes_02"]);
    assert_eq!(hand["fields"][0]["picture"], "/seen/0");
    let (_, at) = post(&ben, "/api/place", json!({ "item": fields[0].0, "context": "page" }));
    assert!(at[0].as_f64().is_some_and(|x| x > 0.8), "it is at the right of the form: {at}");
    let (status, png) = crate::review_server::get(server.host(), "/seen/0", &ben).expect("it answers");
    assert!(status == 200 && png.starts_with(b"\x89PNG"));
    // the sums hold, so one person is enough; but no sum has the day
    let keyed =
        [("votes_01", "012"), ("votes_02", "30"), ("valid", "42"), ("invalid", "5"), ("total", "47"), ("day", "17")];
    for (name, keyed) in keyed {
        let (item, _) = fields.iter().find(|(_, field)| field == name).expect("it is asked");
        assert_eq!(key(&ben, name, *item, keyed), 200, "{name}");
    }
    drop(server);

    // where nobody sees pages their fields are not asked, and are not lost
    let server = serve("strip");
    let (_, _, hand) = server.post("/api/hand", &server.enter("ann"), &json!({}));
    assert_eq!((&hand["fields"], &hand["left_for_all"]), (&json!([]), &json!(0)));
    drop(server);
    let server = serve("page");
    let (_, _, hand) = server.post("/api/hand", &server.enter("ann"), &json!({}));
    let asked = fields_on_pages(&hand);
    let asked: Vec<&str> = asked.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(asked, ["day", "month", "year"], "another person must read the day");
    drop(server);

    let status = with_forms(&["review", "status", "out.csv"]);
    assert!(status.contains("a.jpg page 1: unknown-form: form:c1-2019 (ben)"), "{status}");
    with_forms(&["review", "apply", "out.csv", "--out", "final.csv", "--also", "numbers.sqlite"]);
    let table = fs::read_to_string(dir.join("final.csv")).expect("it was written");
    let mut table = table.lines();
    let header = table.next().unwrap_or_default();
    assert!(header.starts_with("scan,page,form,verdict,attention,votes_01,votes_02,"), "{header}");
    for scan in ["a.jpg", "b.jpg"] {
        let row = table.next().unwrap_or_default();
        assert!(row.starts_with(&format!("{scan},1,c1-2019,review,")) && row.contains(",12,30,42,5,47,,,"), "{row}");
    }
    assert!(table.next().is_some_and(|row| row.starts_with("bad.png,1,,rejected,unreadable")));
    let fields = fs::read_to_string(dir.join("final.fields.csv")).expect("it was written");
    assert!(fields.contains("a.jpg,1,c1-2019,votes_01,accepted,12,,,,0,0,0,0\n"), "{fields}");
    assert!(fields.contains("a.jpg,1,c1-2019,day,review,,,0.0000,illegible,0,0,0,0\n"), "{fields}");
    let settled = fs::read_to_string(dir.join("final.review.csv")).expect("it was written");
    assert!(settled.contains("a.jpg,1,c1-2019,valid,,42,ben=42,,,\n"), "{settled}");
    assert!(settled.contains("a.jpg,1,c1-2019,,unknown-form,,ben=form:c1-2019,,,\n"), "{settled}");
    let finals = bytes(dir, ["final.csv", "final.fields.csv"]);
    succeeds(dir, &["dump", "numbers.sqlite", "dumped.csv"]);
    assert_eq!(bytes(dir, ["dumped.csv", "dumped.fields.csv"]), finals);
    with_forms(&["review", "apply", "out.csv", "--out", "final.csv", "--overwrite"]);
    assert_eq!(bytes(dir, ["final.csv", "final.fields.csv"]), finals, "the same answers give the same bytes");
}

/// A run of the fixtures, in which the machine is not quite sure of every other field that it accepted.
fn run_of_doubtful_fields(folder: &Path) {
    for scan in ["office/page-0001.jpg", "office/page-0002.jpg", "skewed/page-0001.png", "feeder/file-0001.tif"] {
        let to = folder.join("scans").join(scan);
        fs::create_dir_all(to.parent().expect("it is in a folder")).expect("the folder is writable");
        fs::copy(format!("{}/fixtures/scans/{scan}", env!("CARGO_MANIFEST_DIR")), to).expect("the fixture is there");
    }
    succeeds(folder, &["run", "scans", "out.csv", "--quiet"]);
    let path = folder.join("out.readings.jsonl");
    let mut lines = String::new();
    for line in fs::read_to_string(&path).expect("the run is whole").lines() {
        let mut page: Value = serde_json::from_str(line).expect("it is JSON");
        let mut open = Vec::new();
        for i in 0..page["fields"].as_array().map_or(0, Vec::len) {
            let field = &mut page["fields"][i];
            if i % 2 == 0 && field["state"] == "accepted" {
                let doubtful =
                    [("state", "review"), ("value", ""), ("reason", "low-confidence"), ("confidence", "0.9000")];
                doubtful.into_iter().for_each(|(name, text)| field[name] = json!(text));
                (page["readings"][i]["state"], page["readings"][i]["confidence"]) =
                    (json!("low-confidence"), json!(0.9));
            }
            if page["fields"][i]["state"] == "review" {
                open.push(page["fields"][i]["field"].as_str().unwrap_or_default().to_owned());
            }
        }
        if !open.is_empty() {
            (page["verdict"], page["attention"]) = (json!("review"), json!(open.join(";")));
        }
        lines += &format!("{page}\n");
    }
    fs::write(path, lines).expect("the folder is writable");
    list_reviewers(folder, &["ann", "ben"]);
}

#[test]
fn group_of_digits_survives_a_kill_and_only_who_has_it_sees_it() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    run_of_doubtful_fields(dir);
    let serve = || {
        Server::start(
            dir,
            &[&["--scans", "scans", "--reviewers", "reviewers", "--groups"][..], &NOT_BY_CHANCE].concat(),
        )
    };
    let server = serve();
    let [ann, ben] = ["ann", "ben"].map(|token| server.enter(token));
    // until the pages are read again, fields come
    let group = loop {
        let (_, _, hand) = server.post("/api/hand", &ann, &json!({}));
        if hand["group"].is_object() {
            assert_eq!(hand["fields"], json!([]));
            break hand["group"].clone();
        }
        server.post("/api/rest", &ann, &json!({}));
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    let names: Vec<&String> = group.as_object().expect("it is an object").keys().collect();
    assert_eq!(names, ["crops", "digit", "group"], "nothing else is known of it");
    let crop = |cookie: &str, i: u64| {
        crate::review_server::get(server.host(), &format!("/digit/{}/{i}", group["group"]), cookie).expect("it answers")
    };
    let n_crops = group["crops"].as_u64().expect("it is a number");
    for i in 0..n_crops {
        let (status, png) = crop(&ann, i);
        assert!(status == 200 && png.starts_with(b"\x89PNG"), "{i}: {status}");
    }
    assert_eq!((crop(&ann, n_crops).0, crop(&ben, 0).0), (403, 403), "it is not before him");
    let give = |cookie: &str, id: &str, struck: Value| {
        server.post("/api/group", cookie, &json!({ "id": id, "group": group["group"], "struck": struck })).0
    };
    assert_eq!(give(&ben, "ben", json!([])), 409);
    assert_eq!(give(&ann, "one", json!([n_crops])), 409, "there is no such crop");
    assert_eq!(give(&ann, "one", json!([0])), 200);
    assert_eq!(give(&ann, "one", json!([0])), 200, "it was sent twice");
    // it is killed
    drop(server);
    drop(serve());
    let status = succeeds(dir, &["review", "status", "out.csv", "--json"]);
    let status: Value = serde_json::from_str(&status).expect("it is JSON");
    assert_eq!(
        (&status["groups"]["read"], &status["groups"]["void"]),
        (&json!(1), &json!(1)),
        "one crop was struck alone"
    );
    assert_eq!(status["groups"]["strangers"].as_u64(), Some(3));
    assert_eq!(status["groups"]["settled"].as_u64(), Some(0));
    let tables = ["final.csv", "again.csv"].map(|out| {
        succeeds(dir, &["review", "apply", "out.csv", "--out", out]);
        fs::read(dir.join(out)).expect("it was written")
    });
    assert_eq!(tables[0], tables[1], "the same answers give the same bytes");
}

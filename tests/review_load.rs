//! The review under load: eight people on 20,000 fields, servers that are killed, and how much people key.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use formread_core::{form::known_templates, reader::Reader};
use formread_page::scans::find_scans;
use formread_review::{
    Answer, DigitSource, Event, Review, RunPaths, ShownDigit, Status, add_digits, final_pages, identities, read_journal,
};
use formread_torch::TorchBackend;
use serde_json::{Value, json};

use crate::{
    review_server::{Server, get, list_reviewers, post},
    util::{call, talk},
};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

/// A run of `n` scans, which are one scan under different names. All their fields, blank ones included, await a person.
fn write_run(folder: &Path, n: usize) -> usize {
    let scans = folder.join("scans");
    fs::create_dir(&scans).expect("the folder is writable");
    fs::copy(format!("{FIXTURES}/scans/office/page-0001.jpg"), scans.join("00000.jpg")).expect("the fixture is there");
    let output = call(folder, &["run", "scans", "out.csv", "--quiet"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let text = |name: &str| fs::read_to_string(folder.join(name)).expect("the run is whole");
    let mut record: Value = serde_json::from_str(&text("out.run.json")).expect("it is JSON");
    let mut page: Value = serde_json::from_str(&text("out.readings.jsonl")).expect("it is JSON");
    let fields = page["fields"].as_array_mut().expect("it has fields");
    let names: Vec<String> =
        fields.iter().map(|field| field["field"].as_str().unwrap_or_default().to_owned()).collect();
    for field in fields {
        (field["state"], field["value"], field["reason"]) = (json!("review"), json!(""), json!("low-confidence"));
    }
    for reading in page["readings"].as_array_mut().expect("it has readings") {
        (reading["state"], reading["confidence"]) = (json!("low-confidence"), json!(0.5));
    }
    (page["verdict"], page["attention"]) = (json!("review"), json!(names.join(";")));
    let (scan, mut records, mut lines) = (record["scans"][0].clone(), Vec::new(), String::new());
    for i in 0..n {
        let name = format!("{i:05}.jpg");
        if i > 0 {
            fs::hard_link(scans.join("00000.jpg"), scans.join(&name)).expect("the folder is writable");
        }
        let mut of = scan.clone();
        (of["scan"], page["scan"]) = (json!(name), json!(name));
        records.push(of);
        lines += &format!("{page}\n");
    }
    record["scans"] = json!(records);
    fs::write(folder.join("out.run.json"), record.to_string()).expect("the folder is writable");
    fs::write(folder.join("out.readings.jsonl"), lines).expect("the folder is writable");
    n * names.len()
}

const PEOPLE: [&str; 8] = ["ann", "ben", "cem", "dan", "eva", "fay", "gil", "hal"];
const SERVE: [&str; 4] = ["--scans", "scans", "--reviewers", "reviewers"];

/// What somebody keys in a field: something that each kind can be.
fn keyed(field: &Value) -> &'static str {
    if field["kind"] == "date" { "311226" } else { "7" }
}

fn quantile(mut times: Vec<Duration>, share: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * share).round() as usize]
}

/// The largest memory that a process has held, MiB.
fn peak_mib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux counts it");
    peak.trim().trim_end_matches(" kB").parse::<u64>().expect("it is a number") / 1024
}

#[test]
#[ignore = "20,000 fields"]
fn torture_eight_people_on_20000_open_fields_lose_no_answer() {
    const N_ANSWERS: usize = 250;
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    let n_fields = write_run(dir, 1000);
    list_reviewers(dir, &PEOPLE);
    let began = Instant::now();
    let server = Server::start(dir, &SERVE);
    let started = began.elapsed();
    let (firsts, answers, acknowledged) = (Mutex::default(), Mutex::default(), Mutex::default());
    let person = |who: &str| {
        let began = Instant::now();
        let cookie = server.enter(who);
        let (_, _, mut hand) = server.post("/api/hand", &cookie, &json!({}));
        let crop = |hand: &Value| get(server.host(), &format!("/crop/{}", hand["fields"][0]["item"]), &cookie);
        let (status, png) = crop(&hand).expect("it answers");
        assert!(status == 200 && png.starts_with(b"\x89PNG"), "{status}");
        let firsts: &Mutex<Vec<Duration>> = &firsts;
        firsts.lock().expect("nobody panicked").push(began.elapsed());
        for n in 0..N_ANSWERS {
            let field = hand["fields"][0].clone();
            let id = format!("{who}-{n}");
            let began = Instant::now();
            let body = json!({ "id": id, "item": field["item"], "keyed": keyed(&field) });
            let (status, _, next) = server.post("/api/answer", &cookie, &body);
            let answers: &Mutex<Vec<Duration>> = &answers;
            answers.lock().expect("nobody panicked").push(began.elapsed());
            assert_eq!(status, 200, "{next}");
            let acknowledged: &Mutex<BTreeSet<String>> = &acknowledged;
            assert!(acknowledged.lock().expect("nobody panicked").insert(id));
            hand = next;
            crop(&hand).expect("it answers");
        }
    };
    thread::scope(|scope| PEOPLE.iter().for_each(|who| drop(scope.spawn(|| person(who)))));
    let [firsts, answers] = [firsts, answers].map(|times| times.into_inner().expect("nobody panicked"));
    println!(
        "{n_fields} open fields, 8 people, {} answers: server ready after {started:?}, first crop at most {:?}, answer p50 \
         {:?}, p99 {:?}, server {} MiB at most",
        answers.len(),
        quantile(firsts, 1.0),
        quantile(answers.clone(), 0.5),
        quantile(answers, 0.99),
        peak_mib(server.pid())
    );
    drop(server);
    let stored = stored_answers(dir);
    assert!(stored.values().all(|n| *n == 1), "an answer is stored twice");
    assert_eq!(stored.into_keys().collect::<BTreeSet<_>>(), acknowledged.into_inner().expect("nobody panicked"));
}

/// How often each answer is in the journal.
fn stored_answers(dir: &Path) -> BTreeMap<String, usize> {
    let mut stored = BTreeMap::new();
    for event in events(dir) {
        if let Event::Answer(answer) = event {
            *stored.entry(answer.id).or_default() += 1;
        }
    }
    stored
}

fn events(dir: &Path) -> Vec<Event> {
    let files = ["out.run.json", "out.readings.jsonl"].map(|name| dir.join(name));
    let (identity, readings) =
        identities(RunPaths { record: &files[0], readings: &files[1] }).expect("the run is whole");
    read_journal(&dir.join("out.review.jsonl"), identity, readings).expect("the journal is whole")
}

#[test]
#[ignore = "50 kills"]
fn torture_answers_survive_50_kills_under_four_sessions() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    let n_fields = write_run(dir, 200);
    list_reviewers(dir, &PEOPLE[..4]);
    let acknowledged: Mutex<BTreeSet<String>> = Mutex::default();
    let mut n_again = 0;
    // what was sent and not acknowledged, by person: its page sends it again
    let unsure: Mutex<BTreeMap<&str, Value>> = Mutex::default();
    for round in 0..50 {
        let server = Server::start(dir, &SERVE);
        let (host, is_over) = (server.host().to_owned(), AtomicBool::new(false));
        let answer_until_killed = |who: &'static str| -> Option<()> {
            let (_, cookie, _) = post(&host, "/api/enter", "", &json!({ "token": who }))?;
            let mut n = 0;
            while !is_over.load(Ordering::Relaxed) {
                let again = unsure.lock().expect("nobody panicked").get(who).cloned();
                let body = match again {
                    Some(body) => body,
                    None => {
                        let (_, _, hand) = post(&host, "/api/hand", &cookie, &json!({}))?;
                        let field = hand["fields"].get(0)?.clone();
                        n += 1;
                        json!({ "id": format!("{who}-{round}-{n}"), "item": field["item"], "keyed": keyed(&field) })
                    }
                };
                unsure.lock().expect("nobody panicked").insert(who, body.clone());
                let (status, _, reply) = post(&host, "/api/answer", &cookie, &body)?;
                unsure.lock().expect("nobody panicked").remove(who);
                // what was sent before a kill may be settled by now
                assert!(status == 200 || status == 409, "{status} {reply}");
                if status == 200 {
                    acknowledged.lock().expect("nobody panicked").insert(body["id"].as_str()?.to_owned());
                }
            }
            Some(())
        };
        thread::scope(|scope| {
            for who in &PEOPLE[..4] {
                scope.spawn(|| answer_until_killed(who));
            }
            thread::sleep(Duration::from_millis(150 + 37 * (round % 9)));
            // it is killed
            drop(server);
            is_over.store(true, Ordering::Relaxed);
        });
        n_again += unsure.lock().expect("nobody panicked").len();
    }
    let (stored, acknowledged) = (stored_answers(dir), acknowledged.into_inner().expect("nobody panicked"));
    println!(
        "{n_fields} fields, 50 kills: {} answers acknowledged, {} stored, {n_again} on their way when it was killed",
        acknowledged.len(),
        stored.len()
    );
    assert!(acknowledged.len() > 200, "{}", acknowledged.len());
    assert!(stored.values().all(|n| *n == 1), "an answer is stored twice");
    assert!(acknowledged.iter().all(|id| stored.contains_key(id)), "an answer that was acknowledged is lost");
    let tables = ["final.csv", "again.csv"].map(|out| {
        let output = call(dir, &["review", "apply", "out.csv", "--out", out]);
        assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
        [out.to_owned(), out.replace(".csv", ".fields.csv"), out.replace(".csv", ".review.csv")]
            .map(|file| fs::read(dir.join(file)).expect("it was written"))
    });
    assert!(tables[0] == tables[1], "the same answers give the same bytes");
}

/// Pages of the deck that is keyed, where `FORMREAD_DECK_PAGES` does not name another number.
const N_PAGES: usize = 300;
/// The keystroke-level model (Card, Moran and Newell, "The keystroke-level model for user performance time with interactive systems",
/// 1980): a key by somebody who types well, and the mental preparation before each field, page or group, seconds.
const KEY_SECONDS: f64 = 0.2;
const FIELD_SECONDS: f64 = 1.35;
/// To look at a crop of a group, seconds: ours, for no model has it.
const CROP_SECONDS: f64 = 0.2;

/// Keys and fields, and the time that they take by the model.
#[derive(Default)]
struct Keyed {
    keys: u64,
    fields: u64,
    /// Pages and groups that were looked at, and crops in the groups.
    looks: u64,
    crops: u64,
    /// Fields that a second person keyed, or a third, and fields that were settled wrong.
    second: u64,
    wrong: u64,
}

impl Keyed {
    fn add(&mut self, truth: &str) {
        self.fields += 1;
        let digits = truth.bytes().filter(u8::is_ascii_digit).count() as u64;
        // the value and Enter, or one key for a blank
        self.keys += digits + 1;
    }

    fn seconds(&self) -> f64 {
        let n_prepared = (self.fields + self.looks) as f64;
        self.keys as f64 * KEY_SECONDS + n_prepared * FIELD_SECONDS + self.crops as f64 * CROP_SECONDS
    }
}

#[test]
#[cfg_attr(mnist_data, ignore = "300 pages")]
#[cfg_attr(not(mnist_data), ignore = "it needs .mnist")]
fn torture_review_of_a_hard_deck_needs_few_keys() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = &std::env::var_os("FORMREAD_DECK").map_or_else(|| dir.path().to_owned(), Into::into);
    if !dir.join("out.csv").exists() {
        let (glyphs, form) = [".mnist", "pipelines/tax-return.toml"].map(|name| format!("{FIXTURES}/../{name}")).into();
        let pages = std::env::var("FORMREAD_DECK_PAGES").unwrap_or_else(|_| N_PAGES.to_string());
        let synth = ["synth", "--pipeline", &form, "--glyphs", &glyphs, "--pages", &pages, "--out", "deck"];
        for args in [&[&synth[..], &["--degrade", "hard", "--format", "jpg"]].concat()[..], &["run", "deck", "out.csv"]]
        {
            let output = call(dir, args);
            assert_ne!(output.status.code(), Some(2), "{}", talk(&output));
        }
    }
    let mut truth = csv::Reader::from_path(dir.join("deck/truth.csv")).expect("it was drawn");
    let rows = truth.deserialize().map(|row| row.expect("it is a truth"));
    let pages: Vec<BTreeMap<String, String>> = rows.collect();
    let mut all = Keyed::default();
    let mut written: BTreeMap<(String, String), String> = BTreeMap::new();
    for page in &pages {
        for (field, text) in page.iter().filter(|(field, _)| !["scan", "page"].contains(&field.as_str())) {
            all.add(text);
            written.insert((page["scan"].clone(), field.clone()), text.clone());
        }
    }
    let groups = [false, true].map(|has_groups| {
        let (mut reviewed, status) = review_deck(dir, &written, has_groups);
        let is_rejected = |page: &&formread_review::PageToSee| page.reason != "writing-outside";
        let n_rejected = status.pages_to_see.iter().filter(is_rejected).count();
        // each page in the list is looked at, and decided with a key
        let n_seen = status.pages_to_see.len() as u64;
        (reviewed.keys, reviewed.looks) = (reviewed.keys + n_seen, reviewed.looks + n_seen);
        println!(
            "{} pages, {} fields: {} keys to key all once; with groups {has_groups}: {} keys to review {} fields and {n_seen} pages \
             ({:.1} %), {} fields by a second person or third, {} settled wrong; by the keystroke-level model {:.0} s and {:.0} s, \
             {:.1} times faster; {n_rejected} pages are rejected and must be keyed elsewhere; {:?}",
            pages.len(),
            all.fields,
            all.keys,
            reviewed.keys,
            reviewed.fields,
            100.0 * reviewed.keys as f64 / all.keys as f64,
            reviewed.second,
            reviewed.wrong,
            all.seconds(),
            reviewed.seconds(),
            all.seconds() / reviewed.seconds(),
            status.groups
        );
        assert_eq!(status.unread + status.contested, 0, "everything was read");
        assert!(reviewed.keys * 2 < all.keys, "most fields need no key");
        status.groups
    });
    assert!(groups[0].read == 0 && groups[1].void == 0, "people who do not slip strike each stranger");
}

/// What each field of the deck has in it, by scan and field.
type Written = BTreeMap<(String, String), String>;

/// Reviews the deck with people who do not slip.
fn review_deck(dir: &Path, written: &Written, has_groups: bool) -> (Keyed, Status) {
    let (record, readings) = (dir.join("out.run.json"), dir.join("out.readings.jsonl"));
    let paths = RunPaths { record: &record, readings: &readings };
    let mut review = Review::open(paths, known_templates().expect("they are valid"), &[]).expect("the run is whole");
    if has_groups {
        let backend = TorchBackend::shipped().expect("the shipped weights are valid");
        let reader = Reader::builder().templates(review.run().rules.templates.clone()).backend(backend);
        let scans = find_scans(&dir.join("deck")).expect("it was drawn");
        let source = DigitSource::new(reader.build().expect("it has templates and a backend"), &scans, None);
        let n_documents = review.run().n_documents();
        add_digits(&source, n_documents, |take| Some(take(&mut review))).expect("the run is whole");
    }
    let (mut reviewed, now) = (Keyed::default(), Duration::from_secs(1));
    for (session, who) in (1..).zip(PEOPLE) {
        review.queue().open(session, who, now);
        loop {
            if let Some(asked) = review.deal_group(session, now) {
                let is_odd = |shown: &ShownDigit| {
                    is_odd(shown, &written[&(shown.scan.clone(), shown.field.clone())], asked.digit)
                };
                let struck: Vec<usize> =
                    (0..).zip(review.shown(session)).filter(|(_, shown)| is_odd(shown)).map(|(i, _)| i).collect();
                reviewed.keys += 1 + struck.len() as u64;
                reviewed.looks += 1;
                reviewed.crops += asked.crops as u64;
                let id = format!("{who}-group-{}", reviewed.looks);
                review
                    .answer_group(session, asked.group, &id, &struck, now)
                    .expect("the run is whole")
                    .expect("it is his");
                continue;
            }
            let Some(&idx) = review.deal_fields(session, 0, now).first() else { break };
            let name = review.name_of(idx).expect("it is a field");
            let text = &written[&name];
            let answer = match text.as_str() {
                "" => Answer::Blank,
                "?" | "!" => Answer::Illegible,
                value => Answer::Value(value.to_owned()),
            };
            reviewed.add(text);
            reviewed.second += u64::from(session > 1);
            let id = format!("{who}-{}", reviewed.fields);
            review.answer(session, idx, &id, answer, now).expect("the run is whole").expect("he may answer");
        }
    }
    final_pages(&review, |page| {
        for row in page.settled.iter().filter(|row| !row.value.is_empty()) {
            reviewed.wrong += u64::from(written.get(&(page.rows.scan.clone(), row.field.clone())) != Some(&row.value));
        }
        Ok(())
    })
    .expect("the run is whole");
    (reviewed, review.status().expect("the run is whole"))
}

/// Whether a digit that is read as `digit` is another one on the paper. Where the machine has left out a digit, or has one too many, nobody
/// sees that by single ones: then none is odd. A date is odd as a whole.
fn is_odd(shown: &ShownDigit, truth: &str, digit: u8) -> bool {
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).map(char::from).collect::<String>();
    let (value, truth_digits) = (digits(&shown.value), digits(truth));
    if shown.is_stranger {
        return true;
    }
    if shown.value.as_bytes().get(4) == Some(&b'-') {
        return shown.value != truth;
    }
    let of = usize::from(shown.of);
    if value.len() > of || truth_digits.len() > of {
        return false;
    }
    let written = format!("{truth_digits:0>of$}");
    written.as_bytes()[usize::from(shown.position)] != b'0' + digit
}

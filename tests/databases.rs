//! The tables of a run in SQLite, PostgreSQL and Parquet, by the program: `run --also`, `load`, `dump`, and what is left where they
//! are killed or refused. Where no PostgreSQL is installed, its part is left out and stderr says so; `make test` installs it.

#[allow(dead_code, reason = "the tests of the crate call the rest")]
#[path = "../crates/sinks/tests/sinks/server.rs"]
mod server;

use std::{
    fs,
    path::Path,
    process::Stdio,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::util::{STRIP, call, formread, names, talk, write_strips};
use server::Server;

const RUN: [&str; 5] = ["run", "in", "out.csv", "--pipeline", STRIP];

fn tables(folder: &Path, stem: &str) -> [Vec<u8>; 3] {
    [".csv", ".fields.csv", ".run.json"]
        .map(|end| fs::read(folder.join(format!("{stem}{end}"))).expect("it was written"))
}

#[track_caller]
fn succeeds(folder: &Path, args: &[&str]) -> String {
    let output = call(folder, args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", talk(&output));
    talk(&output)
}

/// Asserts that it is refused with status 2, one line and a hint. Returns what it said.
#[track_caller]
fn refused(folder: &Path, args: &[&str]) -> String {
    let output = call(folder, args);
    let said = talk(&output);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    let lines: Vec<&str> = said.lines().filter(|line| !line.contains(" page 1: ")).collect();
    assert!(
        lines.len() == 2 && lines[0].starts_with("formread: ") && lines[1].starts_with("hint: "),
        "{args:?}: {said}"
    );
    said
}

#[test]
fn run_also_fills_every_place_and_dumps_have_the_bytes_of_the_tables() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    write_strips(&dir.join("in"), 0..12);
    fs::copy(dir.join("in/03.png"), dir.join("in/copy, \"of 3\".png")).expect("the folder is writable");
    let server = server::programs().map(Server::start);
    let url = server.as_ref().map(Server::database);
    let mut places = vec!["numbers.sqlite", "numbers.parquet"];
    match &url {
        Some(url) => places.push(url),
        None => eprintln!("no PostgreSQL server is installed: it is NOT tested"),
    }
    let also: Vec<&str> = places.iter().flat_map(|&place| ["--also", place]).collect();
    let said = succeeds(dir, &[&RUN[..], &also].concat());
    let want = tables(dir, "out");
    for place in &places {
        let name = place.split('?').next().unwrap_or(place);
        assert!(said.contains(&format!("{name}: ")), "{said}");
        succeeds(dir, &["dump", place, "dumped.csv", "--overwrite"]);
        assert_eq!(tables(dir, "dumped"), want, "{place}");
        let again = succeeds(dir, &["load", "out.csv", "--to", place]);
        assert!(again.contains(" 0 new pages, 0 replaced, "), "{again}");
    }
    for file in names(dir).iter().filter(|name| name.starts_with("numbers.")) {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(dir.join(file)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }

    // any number of workers, and a second run, leave the same bytes
    let files = ["numbers.sqlite", "numbers.parquet", "numbers.fields.parquet"];
    let read = || files.map(|file| fs::read(dir.join(file)).expect("it is there"));
    let before = read();
    for jobs in ["1", "2", "7"] {
        succeeds(dir, &[&RUN[..], &["--overwrite", "--jobs", jobs], &also].concat());
        assert_eq!(tables(dir, "out"), want);
        assert!(read() == before, "{jobs} jobs");
    }
}

#[test]
fn place_that_cannot_be_used_ends_the_run_before_the_first_page() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    write_strips(&dir.join("in"), 0..2);
    fs::write(dir.join("text.sqlite"), "no database, and longer than the header of one. ".repeat(9))
        .expect("it is writable");
    fs::write(dir.join("there.parquet"), "").expect("it is writable");
    for (place, part) in [
        ("numbers.xls", "no place for tables"),
        ("text.sqlite", "not a database"),
        ("there.parquet", "already exists"),
        ("none/numbers.sqlite", "none/numbers.sqlite"),
        ("none/numbers.parquet", "none/numbers.parquet"),
        ("postgres://clerk:s3cret@localhost/taxes", "a password in the URL"),
        ("postgres:///taxes?host=/nonexistent", "postgres:///taxes"),
    ] {
        let said = refused(dir, &[&RUN[..], &["--also", place]].concat());
        assert!(said.contains(part) && !said.contains("s3cret"), "{place}: {said}");
    }
    let said = refused(dir, &[&RUN[..], &["--also", "a.sqlite", "--also", "./a.sqlite"]].concat());
    assert!(said.contains("two outputs of one name"), "{said}");
    assert_eq!(names(dir), ["in", "text.sqlite", "there.parquet"], "nothing was written");
}

#[test]
fn dump_does_not_replace_tables_unless_asked() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    write_strips(&dir.join("in"), 0..2);
    succeeds(dir, &[&RUN[..], &["--also", "a.sqlite"]].concat());
    let said = refused(dir, &["dump", "a.sqlite", "out.csv"]);
    assert!(said.contains("already exists: out.csv"), "{said}");
    fs::write(dir.join("empty.sqlite"), "").expect("it is writable");
    let said = refused(dir, &["dump", "empty.sqlite", "new.csv"]);
    assert!(said.contains("empty.sqlite"), "{said}");
    let output = call(dir, &["load", "a.csv", "--to", "b.sqlite"]);
    assert_eq!(output.status.code(), Some(2));
    let said = talk(&output);
    assert!(said.contains("a.run.json"), "{said}");
}

/// What a place has of the run with these tables: nothing or all.
fn has_all(folder: &Path, place: &str, stem: &str, want: &[Vec<u8>; 3]) -> bool {
    let dumped = format!("{stem}.csv");
    let output = call(folder, &["dump", place, &dumped, "--overwrite"]);
    if output.status.code() == Some(0) {
        assert_eq!(&tables(folder, stem), want, "{place}: where something is, it is all");
        return true;
    }
    let said = talk(&output);
    let none = ["no tables", "no run was loaded", "No such file", "unable to open"];
    assert!(none.iter().any(|none| said.contains(none)), "{place}: {said}");
    false
}

/// Sets a flag when it goes out of scope, also where an assertion fails.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Kills `run --also` and `load` at random instants, while others look at the places, and checks that each place has nothing or
/// all, and after a repeat all.
fn kill_and_repeat(n_kills: u32, n_strips: u32) {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    write_strips(&dir.join("in"), 0..n_strips);
    succeeds(dir, &RUN);
    let want = tables(dir, "out");
    fs::create_dir(dir.join("kept")).expect("the folder is writable");
    for end in [".csv", ".fields.csv", ".run.json"] {
        fs::rename(dir.join(format!("out{end}")), dir.join(format!("kept/out{end}"))).expect("it was written");
    }
    let server = server::programs().map(Server::start);
    if server.is_none() {
        eprintln!("no PostgreSQL server is installed: it is NOT tested");
    }
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (is_over, n_polls) = (AtomicBool::new(false), AtomicUsize::new(0));
    // a file in use must not be removed, so each round has places of its own
    let watched: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let (mut kills, mut found) = (0, [0; 2]);
    thread::scope(|scope| {
        let poll = || {
            while !is_over.load(Ordering::Relaxed) {
                let places = watched.lock().expect("no thread panics with it").clone();
                for place in &places {
                    has_all(dir, place, "polled", &want);
                    n_polls.fetch_add(1, Ordering::Relaxed);
                }
                thread::sleep(Duration::from_millis(20));
            }
        };
        let poller = scope.spawn(poll);
        let end = SetOnDrop(&is_over);
        for round in 0.. {
            if kills >= n_kills || poller.is_finished() {
                break;
            }
            let mut places = vec![format!("n{round}.sqlite"), format!("n{round}.parquet")];
            places.extend(server.as_ref().map(Server::database));
            // Parquet files get their names one after the other
            *watched.lock().expect("no thread panics with it") =
                places.iter().filter(|place| !place.ends_with("parquet")).cloned().collect();
            let flag = if round % 2 == 0 { "--also" } else { "--to" };
            let to: Vec<&str> = places.iter().flat_map(|place| [flag, place.as_str()]).collect();
            let args = match round % 2 {
                0 => [&RUN[..], &["--resume"], &to].concat(),
                _ => [&["load", "kept/out.csv", "--pipeline", STRIP][..], &to].concat(),
            };
            let start = Instant::now();
            for _ in 0..rng.random_range(1..=3) {
                let mut child =
                    formread(dir).args(&args).stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
                thread::sleep(Duration::from_millis(rng.random_range(0..1_500)));
                let _ = child.kill();
                child.wait().expect("it has been started");
                kills += 1;
                for place in places.iter().filter(|place| !place.ends_with("parquet")) {
                    found[usize::from(has_all(dir, place, "found", &want))] += 1;
                }
                if dir.join("out.csv").exists() {
                    assert_eq!(tables(dir, "out"), want, "where the table is, it is complete");
                    assert!(places.iter().all(|place| has_all(dir, place, "found", &want)), "and so are all places");
                    fs::remove_file(dir.join("out.csv")).expect("it is there");
                    fs::remove_file(dir.join("out.fields.csv")).expect("it is there");
                    fs::remove_file(dir.join("out.run.json")).expect("it is there");
                    // a finished run is not repeated over a Parquet file
                    for name in names(dir).iter().filter(|name| name.ends_with(".parquet")) {
                        fs::remove_file(dir.join(name)).expect("it is there");
                    }
                }
            }
            let _ = fs::remove_file(dir.join("out.csv.lock"));
            succeeds(dir, &args);
            assert!(places.iter().all(|place| has_all(dir, place, "found", &want)), "after the repeat all agree");
            for end in [".csv", ".fields.csv", ".run.json"] {
                let _ = fs::remove_file(dir.join(format!("out{end}")));
            }
            eprintln!("round {round}: {:.1} s", start.elapsed().as_secs_f64());
        }
        drop(end);
        poller.join().expect("no poll saw a part");
    });
    eprintln!(
        "{kills} kills: a place had nothing {} times and all {} times; {} polls saw nothing or all",
        found[0],
        found[1],
        n_polls.load(Ordering::Relaxed)
    );
}

#[test]
fn killed_run_and_load_leave_nothing_or_all() {
    kill_and_repeat(3, 12);
}

#[test]
#[ignore = "long: make torture"]
fn torture_runs_and_loads_killed_50_times_leave_nothing_or_all() {
    kill_and_repeat(50, 60);
}

//! Places of another shape, missing privileges, and servers that stop.

use std::{
    thread,
    time::{Duration, Instant},
};

use formread_sinks::{Destination, Permissions};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Kind, Place, load, server, server::Server, tables::Run};

#[track_caller]
fn refused(place: &Place, run: &Run, parts: &[&str]) {
    let checked = place.destination.check(&run.templates).expect_err("it cannot be written to").to_string();
    let loaded = place.load(run, Permissions::default()).expect_err("it cannot be written to").to_string();
    for error in [checked, loaded] {
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        assert_eq!(error.lines().count(), 2, "one line and a hint: {error}");
    }
}

pub fn tables_of_another_shape_are_refused_and_left_alone(kind: Kind) {
    let run = Run::by_chance(20, 1, 5);
    let changes = [
        "DROP TABLE {}documents",
        "ALTER TABLE {}fields RENAME COLUMN guess TO best",
        "UPDATE {}format SET version = '0'",
    ];
    for change in changes {
        let place = Place::new(kind);
        place.load(&run, Permissions::default()).expect("it can be written");
        match kind {
            Kind::Postgres => {
                server().sql(&place.text, &change.replace("{}", "formread."));
            }
            _ => {
                let connection = rusqlite::Connection::open(&place.text).expect("it is a database");
                connection.execute_batch(&change.replace("{}", "")).expect("it is SQL");
            }
        }
        refused(&place, &run, &["hint: "]);
    }
    let place = Place::new(kind);
    match kind {
        Kind::Postgres => {
            let sql = "CREATE SCHEMA formread; CREATE TABLE formread.numbers (number int)";
            server().sql(&place.text, sql);
            refused(&place, &run, &["hint: the schema formread must be one that formread made"]);
        }
        _ => {
            let connection = rusqlite::Connection::open(&place.text).expect("it is writable");
            connection.execute_batch("CREATE TABLE pages (page int)").expect("it is SQL");
            refused(&place, &run, &["a database of another program"]);
        }
    }
}

pub fn missing_privilege_is_named_with_what_to_do(_: Kind) {
    let run = Run::by_chance(21, 1, 5);
    let server = server();
    let mut place = Place::new(Kind::Postgres);
    let database = place.text.split(['/', '?']).nth(3).expect("the URL has a database").to_owned();
    server.sql(&place.text, "CREATE ROLE clerk LOGIN");
    let owner = place.destination.clone();
    place.text = server.url("clerk", &database);
    place.destination = Destination::parse(&place.text, []).expect("it is a URL");
    refused(&place, &run, &["permission denied", "hint: an owner of the database can run: CREATE SCHEMA"]);
    // a schema of the owner's, which the clerk may read
    run.write(&place.out("out.csv"));
    load(&place.out("out.csv"), &run, &owner, Permissions::default()).expect("the owner may");
    let url = owner_url(server, &database);
    server.sql(&url, "GRANT USAGE ON SCHEMA formread TO clerk; GRANT SELECT ON ALL TABLES IN SCHEMA formread TO clerk");
    refused(&place, &run, &["permission denied", "hint: "]);
    place.assert_dumped();
    server.sql(&url, "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA formread TO clerk");
    place.load(&run, Permissions::default()).expect("now it may");
}

fn owner_url(server: &Server, database: &str) -> String {
    server.url("formread", database)
}

pub fn server_that_is_not_there_is_named(_: Kind) {
    let mut place = Place::new(Kind::Sqlite);
    place.text = "postgres://clerk@/taxes?host=/nonexistent".to_owned();
    place.destination = Destination::parse(&place.text, []).expect("it is a URL");
    let run = Run::by_chance(22, 1, 2);
    let error = place.load(&run, Permissions::default()).expect_err("there is no server").to_string();
    assert!(error.contains("postgres://clerk@/taxes: error connecting to server"), "{error}");
}

pub fn load_into_a_server_that_stops_has_nothing_or_all(_: Kind) {
    stop(4, 60);
}

pub fn torture_20_immediate_stops_of_the_server_leave_nothing_or_all(_: Kind) {
    stop(20, 600);
}

/// Stops a server of its own as a crash does, at random instants of a load.
fn stop(n_stops: u32, n_files: usize) {
    let server = Server::start(super::server::programs().expect("the test is ignored without one"));
    let run = Run::by_chance(23, 5, n_files);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let out = dir.path().join("out.csv");
    run.write(&out);
    // how long an undisturbed load takes
    let first = Destination::parse(&server.database(), []).expect("it is a URL");
    let start = Instant::now();
    load(&out, &run, &first, Permissions::default()).expect("the server runs");
    let usual = start.elapsed();
    let (mut nothing, mut all) = (0, 0);
    for _ in 0..n_stops {
        let url = server.database();
        let destination = Destination::parse(&url, []).expect("it is a URL");
        let wait = usual.mul_f64(rng.random_range(0.0..1.2)).min(Duration::from_secs(60));
        let loaded = thread::scope(|scope| {
            let loader = scope.spawn(|| load(&out, &run, &destination, Permissions::default()));
            thread::sleep(wait);
            server.crash();
            loader.join().expect("it does not panic")
        });
        server.launch();
        let there = server.sql(&url, "SELECT to_regclass('formread.fields') IS NOT NULL");
        let n_fields = run.files.iter().flat_map(|file| &file.pages).map(|page| page.fields.len()).sum::<usize>();
        if there.trim() == "t" {
            all += 1;
            let count = "SELECT count(*) FROM formread.fields f JOIN formread.scans s USING (sha256)";
            assert_eq!(server.sql(&url, count).trim(), n_fields.to_string(), "where something is, it is all");
        } else {
            nothing += 1;
            let error = loaded.expect_err("nothing is there").to_string();
            assert!(error.contains("hint: ") || error.contains("connecting"), "{error}");
        }
        let counts = load(&out, &run, &destination, Permissions::default()).expect("the server runs again");
        assert_eq!(counts.n_replaced + counts.n_removed + counts.n_kept, 0, "{counts:?}");
    }
    eprintln!("{n_stops} immediate stops of the server: nothing was there {nothing} times, all {all} times");
}

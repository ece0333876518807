//! Runs that are killed, and gone on with.

use std::{
    fs,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::util::{STRIP, call, formread, names, talk, write_strips};

/// What a run leaves.
const WRITTEN: [&str; 3] = ["out.csv", "out.fields.csv", "out.run.json"];

fn tables(folder: &Path) -> [Vec<u8>; 3] {
    WRITTEN.map(|name| fs::read(folder.join(name)).expect("it was written"))
}

#[test]
fn a_run_that_is_killed_ends_with_the_same_bytes_when_it_is_gone_on_with() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    write_strips(&dir.join("in"), 40);
    let args = ["run", "in", "out.csv", "--pipeline", STRIP, "--jobs", "2"];
    let start = Instant::now();
    let output = call(dir, &args);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let takes = start.elapsed();
    let want = tables(dir);
    for part in 1..=6u32 {
        for name in WRITTEN {
            fs::remove_file(dir.join(name)).expect("it was written");
        }
        let mut command = formread(dir);
        let mut child =
            command.args(args).stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program can be started");
        // Whenever it is hit, be it before the first page or after the last one, what follows must hold.
        thread::sleep(takes.min(Duration::from_secs(20)) * part / 6);
        let _ = child.kill();
        child.wait().expect("it has been started");
        if dir.join("out.csv").exists() {
            assert_eq!(tables(dir), want, "killed after {part}/6: where the table stands, it is whole");
        } else {
            let output = call(dir, &[&args[..], &["--resume"]].concat());
            assert_eq!(output.status.code(), Some(0), "killed after {part}/6: {}", talk(&output));
            assert_eq!(tables(dir), want, "killed after {part}/6");
        }
        let _ = fs::remove_file(dir.join("out.csv.partial"));
        assert_eq!(names(dir), ["in", "out.csv", "out.fields.csv", "out.run.json"], "killed after {part}/6");
    }
}

#[test]
fn a_second_run_on_the_same_table_stops() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    write_strips(&dir.join("in"), 1);
    let journal = fs::File::create(dir.join("out.csv.partial")).expect("it is writable");
    journal.lock().expect("nobody else holds it");
    for how in ["--resume", "--overwrite"] {
        let output = call(dir, &["run", "in", "out.csv", "--pipeline", STRIP, how]);
        assert_eq!(output.status.code(), Some(2), "{}", talk(&output));
        assert!(talk(&output).contains("another run"), "{}", talk(&output));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_nightly_script_replaces_goes_on_and_never_overlaps() {
    use std::process::Command;

    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    write_strips(&dir.join("in"), 2);
    // The script has no flag for a template; what it calls here adds one.
    let program = dir.join("formread");
    let text = format!("#!/bin/sh\nexec {} \"$@\" --pipeline {STRIP}\n", env!("CARGO_BIN_EXE_formread"));
    fs::write(&program, text).expect("it is writable");
    let made = Command::new("chmod").arg("+x").arg(&program).status().expect("there is a chmod");
    assert!(made.success());
    let nightly = || {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/nightly");
        let mut command = Command::new(script);
        command.args(["in", "out.csv"]).current_dir(dir).env("FORMREAD", &program);
        command.output().expect("there is a bash")
    };
    assert_eq!(nightly().status.code(), Some(0));
    let first = tables(dir);
    write_strips(&dir.join("in"), 3);
    assert_eq!(nightly().status.code(), Some(0), "the table of the night before is no hindrance");
    let second = tables(dir);
    assert_ne!(first, second);
    fs::write(dir.join("out.csv.partial"), "").expect("it is writable");
    assert_eq!(nightly().status.code(), Some(0), "a run that was cut off is gone on with");
    assert_eq!(tables(dir), second);

    let lock = fs::File::create(dir.join("out.csv.lock")).expect("it is writable");
    lock.lock().expect("nobody else holds it");
    let output = nightly();
    assert_eq!(output.status.code(), Some(0));
    assert!(talk(&output).contains("left out"), "{}", talk(&output));

    let log = names(dir).into_iter().find(|name| name.ends_with(".log")).expect("what was said is kept");
    let log = fs::read_to_string(dir.join(log)).expect("it is text");
    assert_eq!(log.matches("--overwrite").count(), 2, "{log}");
    assert_eq!(log.matches("--resume").count(), 1, "{log}");
}

//! Runs that are killed, and gone on with.

use std::{
    fs,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::util::{STRIP, call, formread, names, talk, write_strips};

fn tables(folder: &Path) -> [Vec<u8>; 2] {
    ["out.csv", "out.fields.csv"].map(|name| fs::read(folder.join(name)).expect("it was written"))
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
        for name in ["out.csv", "out.fields.csv"] {
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
        assert_eq!(names(dir), ["in", "out.csv", "out.fields.csv"], "killed after {part}/6");
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

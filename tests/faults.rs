//! Runs that are killed, stopped, refused or out of disk space, and resumed. No test depends on timing: its assertions hold
//! whenever the run is interrupted.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::util::{STRIP, call, formread, names, talk, write_strips};

/// The files that a run writes.
const OUTPUT_FILES: [&str; 4] = ["out.csv", "out.fields.csv", "out.readings.jsonl", "out.run.json"];
const RUN: [&str; 7] = ["run", "in", "out.csv", "--pipeline", STRIP, "--jobs", "2"];
/// The number of SIGTERM on every Unix.
const SIGTERM: i32 = 15;

fn tables(folder: &Path) -> [Vec<u8>; OUTPUT_FILES.len()] {
    OUTPUT_FILES.map(|name| fs::read(folder.join(name)).expect("it was written"))
}

/// Removes the tables. Returns their contents.
fn take_tables(folder: &Path) -> [Vec<u8>; OUTPUT_FILES.len()] {
    let tables = tables(folder);
    OUTPUT_FILES.iter().for_each(|name| fs::remove_file(folder.join(name)).expect("it was written"));
    tables
}

/// Writes `n` strips, a copy of one and a file that is not a picture to `in`. Returns what an uninterrupted run over it writes.
fn prepare(folder: &Path, n: u32) -> [Vec<u8>; OUTPUT_FILES.len()] {
    write_strips(&folder.join("in"), 0..n);
    fs::copy(folder.join("in/02.png"), folder.join("in/copy.png")).expect("it is writable");
    fs::write(folder.join("in/none.png"), "no picture").expect("it is writable");
    let output = call(folder, &RUN);
    assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
    take_tables(folder)
}

fn spawn(folder: &Path, args: &[&str]) -> Child {
    let mut command = formread(folder);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("the program can be started")
}

/// Waits until `condition` holds or the program ends.
fn wait_until(child: &mut Child, condition: impl Fn() -> bool) {
    while !condition() && child.try_wait().expect("it has been started").is_none() {
        thread::sleep(Duration::from_millis(2));
    }
}

/// Whether the journal in `folder` has a finished file.
fn has_begun(folder: &Path) -> bool {
    fs::read_to_string(folder.join("out.csv.partial")).is_ok_and(|journal| journal.contains(" {\"done\""))
}

fn send_signal(child: &Child, signal: &str) {
    // Fails if the program has already ended.
    let _ = Command::new("kill").args([signal, &child.id().to_string()]).stderr(Stdio::null()).status();
}

fn resume(folder: &Path) {
    let output = call(folder, &[&RUN[..], &["--resume"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
}

/// Sends `signal` to runs at random instants, up to three times before a run may finish, and checks that each is resumed to the
/// same bytes.
fn interrupt_and_resume(signal: &str, n_signals: u32, n_strips: u32) {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    let want = prepare(dir, n_strips);
    let start = Instant::now();
    resume(dir);
    let run_time = start.elapsed().min(Duration::from_secs(20));
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (mut n, mut longest) = (0, Duration::ZERO);
    while n < n_signals {
        assert_eq!(take_tables(dir), want, "after {n} signals");
        for _ in 0..rng.random_range(1..=3) {
            let mut child = spawn(dir, &[&RUN[..], &["--resume"]].concat());
            thread::sleep(run_time.mul_f64(rng.random_range(0.0..1.0)));
            let sent = Instant::now();
            send_signal(&child, signal);
            child.wait().expect("it has been started");
            longest = longest.max(sent.elapsed());
            n += 1;
            if dir.join("out.csv").exists() {
                assert_eq!(tables(dir), want, "after {n} signals: where the table exists, it is complete");
            }
        }
        if !dir.join("out.csv").exists() || dir.join("out.csv.partial").exists() {
            resume(dir);
        }
        let _ = fs::remove_file(dir.join("out.csv.lock"));
        assert_eq!(
            names(dir),
            ["in", "out.csv", "out.fields.csv", "out.readings.jsonl", "out.run.json"],
            "after {n} signals"
        );
    }
    assert_eq!(tables(dir), want);
    let n_files = n_strips + 2;
    eprintln!(
        "{n} times {signal} to runs over {n_files} files: ended within {longest:.1?}, each resumed to identical bytes"
    );
}

#[test]
fn killed_run_is_resumed_to_the_same_bytes() {
    interrupt_and_resume("-KILL", 6, 40);
}

#[test]
#[ignore = "long: make torture"]
fn torture_run_killed_50_times_is_resumed_to_the_same_bytes() {
    interrupt_and_resume("-KILL", 50, 150);
}

#[test]
#[ignore = "long: make torture"]
fn torture_run_stopped_200_times_is_resumed_to_the_same_bytes() {
    interrupt_and_resume("-TERM", 200, 150);
}

/// The processes that `child` has started.
fn children(child: &Child) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{}/task", child.id())).into_iter().flatten().flatten();
    let of_thread = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).unwrap_or_default();
    threads.flat_map(|thread| of_thread(thread).split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn signal_ends_a_run_whose_decoders_do_not_answer() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    let want = prepare(dir, 40);
    // without the limit of time, only the signal can end it
    let limit = ["--max-page-seconds", "1000000", "--max-file-seconds", "1000000"];
    // one worker has one decoder
    let mut child = spawn(dir, &[&RUN[..5], &limit, &["--jobs", "1"]].concat());
    let stopped = |child: &Child| {
        let decoders = children(child);
        decoders.iter().for_each(|id| drop(Command::new("kill").args(["-STOP", id]).status()));
        !decoders.is_empty()
    };
    while !stopped(&child) {
        assert!(child.try_wait().expect("it has been started").is_none(), "it ended before it began to decode");
        thread::sleep(Duration::from_millis(1));
    }
    assert!(child.try_wait().expect("it has been started").is_none(), "nothing can be decoded");
    let decoders = children(&child);
    send_signal(&child, "-TERM");
    child.wait().expect("it has been started");
    // one that was stopped before it was a decoder still has the pipe of the run's messages
    decoders.iter().for_each(|id| drop(Command::new("kill").args(["-KILL", id]).stderr(Stdio::null()).status()));
    let output = child.wait_with_output().expect("it has been started");
    assert_eq!(output.status.code(), Some(2), "{}", talk(&output));
    assert!(talk(&output).contains("hint: what was read is kept in out.csv.partial"), "{}", talk(&output));
    resume(dir);
    assert_eq!(take_tables(dir), want);
}

#[test]
fn signal_ends_a_run_whose_messages_nobody_takes() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    fs::create_dir(dir.join("in")).expect("it is writable");
    // one line each: more than a pipe takes
    for i in 0..1_000 {
        fs::write(dir.join(format!("in/{i:04}-{}.png", "x".repeat(180))), format!("no picture {i}"))
            .expect("it is writable");
    }
    let mut child = spawn(dir, &RUN);
    // it cannot end: its messages fill the pipe to this test, which reads none
    let n_lines = || fs::read_to_string(dir.join("out.csv.partial")).map_or(0, |journal| journal.lines().count());
    wait_until(&mut child, || n_lines() > 300);
    thread::sleep(Duration::from_secs(1));
    send_signal(&child, "-TERM");
    let status = child.wait().expect("it has been started");
    assert_eq!(status.code(), Some(2), "{status:?}");
}

#[test]
fn signal_stops_the_run_with_a_hint_to_resume() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    let want = prepare(dir, 150);
    for name in ["-TERM", "-INT"] {
        let mut child = spawn(dir, &RUN);
        wait_until(&mut child, || has_begun(dir));
        send_signal(&child, name);
        let output = child.wait_with_output().expect("it has been started");
        // If the run ends before the signal arrives, there is nothing to resume.
        if output.status.code() != Some(1) {
            assert_eq!(output.status.code(), Some(2), "{name}: {:?}, {}", output.status, talk(&output));
            let talk = talk(&output);
            assert!(talk.contains("formread: stopped: "), "{talk}");
            assert!(
                talk.contains("hint: what was read is kept in out.csv.partial: resume the run with --resume"),
                "{talk}"
            );
            // a run that took too long to end leaves its lock, which blocks nobody
            let _ = fs::remove_file(dir.join("out.csv.lock"));
            assert_eq!(names(dir), ["in", "out.csv.partial"]);
            resume(dir);
        }
        assert_eq!(take_tables(dir), want, "{name}");
    }
}

#[test]
fn second_signal_kills_the_run() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let scans = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/scans");
    let mut child = spawn(dir.path(), &["run", scans, "out.csv", "--jobs", "1"]);
    wait_until(&mut child, || dir.path().join("out.csv.partial").exists());
    while child.try_wait().expect("it has been started").is_none() {
        send_signal(&child, "-TERM");
    }
    let status = child.wait().expect("it has been started");
    assert_eq!(
        status.signal(),
        Some(SIGTERM),
        "reading a page takes longer than the time between two signals: {status:?}"
    );
}

#[test]
fn second_run_is_refused_and_names_the_holder_of_the_lock() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    let want = prepare(dir, 150);
    let mut child = spawn(dir, &RUN);
    wait_until(&mut child, || has_begun(dir));
    // A stopped process cannot finish.
    send_signal(&child, "-STOP");
    if child.try_wait().expect("it has been started").is_none() {
        let journal = || fs::read(dir.join("out.csv.partial")).expect("it is being written");
        let (journal_before, names_before) = (journal(), names(dir));
        for option in ["--resume", "--overwrite", "--quiet"] {
            let output = call(dir, &[&RUN[..], &[option]].concat());
            assert_eq!(output.status.code(), Some(2), "{}", talk(&output));
            let holder = format!("another run is writing to this table: process {} on ", child.id());
            assert!(talk(&output).contains(&holder) && talk(&output).contains(" since "), "{}", talk(&output));
            assert_eq!((journal(), names(dir)), (journal_before.clone(), names_before.clone()), "nothing was changed");
        }
    }
    let _ = child.kill();
    child.wait().expect("it has been started");
    let output = call(dir, &[&RUN[..], &["--overwrite"]].concat());
    assert_eq!(output.status.code(), Some(1), "a killed run leaves no lock: {}", talk(&output));
    assert_eq!(take_tables(dir), want);
}

/// Runs the program with a limit on the size of files: `blocks` of 512 or 1024 bytes.
fn call_with_file_size_limit(folder: &Path, blocks: u32, more: &[&str]) -> std::process::Output {
    let mut command = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_formread")]).args(RUN).args(more);
    command.current_dir(folder).stdin(Stdio::null()).output().expect("there is a shell")
}

#[test]
fn run_without_disk_space_keeps_what_it_has_read() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    let want = prepare(dir, 60);
    // There is room for a part of the journal.
    let output = call_with_file_size_limit(dir, 8, &[]);
    assert_eq!(output.status.code(), Some(2), "{}", talk(&output));
    assert!(talk(&output).contains("out.csv.partial: File too large"), "{}", talk(&output));
    assert!(talk(&output).contains("resume the run with --resume") && has_begun(dir), "{}", talk(&output));
    assert_eq!(names(dir), ["in", "out.csv.partial"]);
    // A folder has the name of the table: the run is refused, and what was read is kept.
    fs::create_dir(dir.join("out.csv")).expect("it is writable");
    let output = call(dir, &[&RUN[..], &["--resume"]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", talk(&output));
    assert!(talk(&output).contains("not a file but a folder: out.csv"), "{}", talk(&output));
    fs::remove_dir(dir.join("out.csv")).expect("it is empty");
    // There is no room for the tables.
    let output = call_with_file_size_limit(dir, 1, &["--resume"]);
    assert_eq!(output.status.code(), Some(2), "{}", talk(&output));
    assert!(talk(&output).contains("File too large"), "{}", talk(&output));
    assert!(!dir.join("out.csv").exists() && !dir.join("out.csv.new").exists());
    resume(dir);
    assert_eq!(take_tables(dir), want);
    assert_eq!(names(dir), ["in"]);
}

/// Unmounts a file system when it goes out of scope.
struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn run_on_a_full_disk_is_resumed_to_the_same_bytes() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    let want = prepare(dir, 60);
    let small = dir.join("small");
    fs::create_dir(&small).expect("it is writable");
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(&small).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: a file system cannot be mounted here");
        return;
    }
    let _mounted = Mounted(&small);
    let filler = small.join("filler");
    fs::write(&filler, vec![0; 244 << 10]).expect("there is room for it");
    let args = ["run", "in", "small/out.csv", "--pipeline", STRIP, "--jobs", "2"];
    let output = call(dir, &args);
    assert_eq!(output.status.code(), Some(2), "{}", talk(&output));
    assert!(talk(&output).contains("small/out.csv.partial: No space left on device"), "{}", talk(&output));
    assert_eq!(names(&small), ["filler", "out.csv.partial"]);
    fs::remove_file(&filler).expect("it was written");
    let output = call(dir, &[&args[..], &["--resume"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
    assert_eq!(take_tables(&small), want);
}

#[cfg(target_os = "linux")]
#[test]
fn log_on_a_full_disk_does_not_end_the_run() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let want = prepare(dir.path(), 3);
    let full = fs::File::create("/dev/full").expect("Linux has this device");
    let status = formread(dir.path()).args(RUN).stderr(full).status().expect("the program can be started");
    assert_eq!(status.code(), Some(1));
    assert_eq!(take_tables(dir.path()), want);
}

/// Peak memory of a run over `n` strips, KiB, as proc(5) reports it shortly before the end of the run.
///
/// Each strip is a file. The numbers of the strips are spread, so that short and long runs see the same variety of strips: the
/// peak also depends on what is on a page.
#[cfg(target_os = "linux")]
fn peak_kib(n: u32) -> u64 {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    write_strips(&dir.path().join("in"), (0..n).map(|i| 101 * i % 40_000));
    let mut child = spawn(dir.path(), &[&RUN[..], &["--quiet"]].concat());
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("it has been started").is_none() {
        let status = fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak = line.and_then(|kib| kib.parse().ok()).unwrap_or(peak);
        thread::sleep(Duration::from_millis(2));
    }
    let table = fs::read_to_string(dir.path().join("out.csv")).expect("it was written");
    assert_eq!(table.lines().count() as u32, n + 1);
    peak
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "long: make torture"]
fn torture_20000_pages_take_little_more_memory_than_200() {
    let [few, many] = [200, 20_000].map(peak_kib);
    eprintln!("peak memory: {} MiB with 200 pages, {} MiB with 20,000", few >> 10, many >> 10);
    assert!(many * 20 <= few * 21, "{few} KiB with 200 pages, {many} KiB with 20,000");
}

#[cfg(target_os = "linux")]
#[test]
fn nightly_script_replaces_resumes_and_never_overlaps() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    write_strips(&dir.join("in"), 0..2);
    // The script has no option for a template. This wrapper of the program adds one.
    let program = dir.join("formread");
    let text = format!("#!/bin/sh\nexec {} \"$@\" --pipeline {STRIP}\n", env!("CARGO_BIN_EXE_formread"));
    fs::write(&program, text).expect("it is writable");
    let status = Command::new("chmod").arg("+x").arg(&program).status().expect("there is a chmod");
    assert!(status.success());
    let nightly_with_settle = |settle: &str| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/nightly");
        let mut command = Command::new(script);
        command.args(["in", "out.csv", settle]).current_dir(dir).env("FORMREAD", &program);
        command.output().expect("there is a bash")
    };
    let nightly = || nightly_with_settle("0");
    assert_eq!(nightly().status.code(), Some(0));
    let first = tables(dir);
    write_strips(&dir.join("in"), 0..3);
    assert_eq!(nightly().status.code(), Some(0), "the table of the previous night is replaced");
    let second = tables(dir);
    assert_ne!(first, second);
    fs::write(dir.join("out.csv.partial"), "").expect("it is writable");
    assert_eq!(nightly().status.code(), Some(0), "an interrupted run is resumed");
    assert_eq!(tables(dir), second);

    assert_eq!(nightly_with_settle("9999999").status.code(), Some(0));
    let table = fs::read_to_string(dir.join("out.csv")).expect("it was written");
    assert_eq!(table.lines().count(), 1, "all files are too new to be read");

    let target = dir.join("target");
    fs::write(&target, "of somebody").expect("it is writable");
    fs::remove_file(dir.join("out.csv.nightly")).expect("the script leaves it");
    std::os::unix::fs::symlink(&target, dir.join("out.csv.nightly")).expect("there are links");
    assert_eq!(nightly().status.code(), Some(2), "a link is not followed");
    assert_eq!(fs::read_to_string(&target).expect("it is there"), "of somebody");
    fs::remove_file(dir.join("out.csv.nightly")).expect("it is there");

    let lock = fs::File::create(dir.join("out.csv.nightly")).expect("it is writable");
    lock.lock().expect("it is not locked");
    let output = nightly();
    assert_eq!(output.status.code(), Some(0));
    assert!(talk(&output).contains("left out"), "{}", talk(&output));

    let log = names(dir).into_iter().find(|name| name.ends_with(".log")).expect("there is a log");
    let mode = fs::metadata(dir.join(&log)).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only its owner can read the log");
    let log = fs::read_to_string(dir.join(log)).expect("it is text");
    assert!(log.contains("02.png: skipped until the next run") && log.contains("3 more files"), "{log}");
    assert_eq!(log.matches("--overwrite").count(), 3, "{log}");
    assert_eq!(log.matches("--resume").count(), 1, "{log}");
}

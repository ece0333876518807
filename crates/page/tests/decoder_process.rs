//! The program `formread-decode`, and what becomes of pages whose decoder misbehaves.
#![cfg(unix)]

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use formread_page::{
    Limits,
    decoder_process::{DecoderCommand, DecoderPool},
    open,
};
use formread_raster::error::ErrorKind;

const PROGRAM: &str = env!("CARGO_BIN_EXE_formread-decode");

fn fixture(name: &str) -> Arc<[u8]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/decode").join(name);
    fs::read(path).expect("the fixture exists").into()
}

/// The decoder behind a shell script, in which `"$@"` is the decoder's command line.
fn decoder_behind(script: &str, limits: &Limits) -> DecoderCommand {
    let DecoderCommand { program, args } = DecoderCommand::new(PROGRAM.into(), limits);
    let shell = ["-c".into(), script.into(), "sh".into(), program.into()];
    DecoderCommand { program: "sh".into(), args: shell.into_iter().chain(args).collect::<Vec<OsString>>() }
}

/// A script that greets as a decoder of this `version` does.
fn greeting(version: &str) -> String {
    let hello = format!("{{\"protocol\":1,\"version\":\"{version}\"}}");
    format!("printf '\\{:03o}\\000\\000\\000{hello}'", hello.len())
}

#[test]
fn page_decoded_by_the_program_equals_one_decoded_in_process() {
    let limits = Limits::default();
    let command = DecoderCommand::new(PROGRAM.into(), &limits);
    let pool = DecoderPool::new(&limits, Some(&command));
    let bytes = fixture("polarity.pdf");
    assert_eq!(pool.n_pages(&bytes, &limits.page_deadline()).expect("it is whole"), 3);
    for (idx, own) in open(&bytes, &limits).expect("it is whole").enumerate() {
        let page = pool.page(&bytes, idx, &Limits::default().page_deadline()).expect("it is whole");
        assert!(page.pixels == own.expect("it is whole").pixels, "page {idx}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn program_after_start_has_no_libtorch_in_its_maps() {
    let mut command = Command::new(PROGRAM);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    // its first message comes when all libraries are loaded
    let mut first = [0; 4];
    std::io::Read::read_exact(child.stdout.as_mut().expect("it is piped"), &mut first).expect("it greets");
    let maps = fs::read_to_string(format!("/proc/{}/maps", child.id())).expect("it is running");
    assert!(maps.contains("formread-decode"), "{maps}");
    for library in ["torch", "libc10"] {
        assert!(!maps.contains(library), "{library}: {maps}");
    }
    drop(child.stdin.take());
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn program_with_version_flag_prints_its_version() {
    let output = Command::new(PROGRAM).arg("--version").output().expect("it starts");
    let expected = format!("formread-decode {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    let output = Command::new(PROGRAM).arg("--max-pages=many").output().expect("it starts");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn decoder_of_another_version_is_refused_with_both_versions() {
    let limits = Limits::default();
    let command = decoder_behind(&format!("{}; exec sleep 1000", greeting("0.0.1")), &limits);
    let error = DecoderPool::new(&limits, Some(&command)).start().expect_err("it is of another version");
    assert!(matches!(error.kind(), ErrorKind::Usage(_)), "{error}");
    let message = error.to_string();
    assert!(message.contains("0.0.1") && message.contains(env!("CARGO_PKG_VERSION")), "{message}");
    // and the program refuses whoever is of another version
    let hello = "{\"protocol\":1,\"version\":\"0.0.1\"}";
    let script = format!("printf '\\{:03o}\\000\\000\\000{}' '{hello}' | \"$0\"", hello.len(), "%s");
    let output = Command::new("sh").args(["-c", &script, PROGRAM]).output().expect("it starts");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("of another version: 0.0.1"), "{output:?}");
}

#[test]
fn program_that_does_not_greet_is_refused() {
    let limits = Limits::default();
    for script in ["exit 1", "echo no greeting at all"] {
        let command = decoder_behind(script, &limits);
        let error = DecoderPool::new(&limits, Some(&command)).start().expect_err("it is no decoder");
        assert!(error.to_string().contains("does not answer as a decoder"), "{error}");
    }
}

#[test]
fn decoder_that_floods_stderr_is_not_blocked() {
    let limits = Limits::default();
    let command = decoder_behind("head -c 300000 /dev/zero >&2; exec \"$@\"", &limits);
    let pool = DecoderPool::new(&limits, Some(&command));
    pool.page(&fixture("g4.tif"), 0, &Limits::default().page_deadline()).expect("it is whole");
}

#[test]
fn decoder_that_reads_nothing_costs_its_page_alone() {
    let limits = Limits { page_seconds: 1, ..Limits::default() };
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let marker = dir.path().join("was-here");
    // the first process reads nothing after its greeting, all others are decoders
    let script = format!(
        "if [ -e '{0}' ]; then exec \"$@\"; fi; : > '{0}'; {1}; exec sleep 1000",
        marker.display(),
        greeting(env!("CARGO_PKG_VERSION"))
    );
    let command = decoder_behind(&script, &limits);
    let pool = DecoderPool::new(&limits, Some(&command));
    let larger_than_a_pipe: Arc<[u8]> = vec![0; 1 << 20].into();
    let error = pool.page(&larger_than_a_pipe, 0, &limits.page_deadline()).expect_err("nothing reads it");
    assert!(matches!(error.kind(), ErrorKind::TimedOut(_)), "{error}");
    let slow = Limits::default();
    let pool = DecoderPool::new(&slow, Some(&command));
    pool.page(&fixture("g4.tif"), 0, &Limits::default().page_deadline()).expect("the next process decodes");
}

#[test]
fn decoder_killed_from_outside_is_started_once_more_and_then_named() {
    let limits = Limits::default();
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let marker = dir.path().join("was-killed");
    let greet = greeting(env!("CARGO_PKG_VERSION"));
    // as the system does where memory runs out
    let once = format!("if [ -e '{0}' ]; then exec \"$@\"; fi; : > '{0}'; {greet}; kill -KILL $$", marker.display());
    let command = decoder_behind(&once, &limits);
    let pool = DecoderPool::new(&limits, Some(&command));
    pool.page(&fixture("g4.tif"), 0, &limits.page_deadline()).expect("the second process decodes");
    let command = decoder_behind(&format!("{greet}; kill -KILL $$"), &limits);
    let pool = DecoderPool::new(&limits, Some(&command));
    let error = pool.page(&fixture("g4.tif"), 0, &limits.page_deadline()).expect_err("none decodes").to_string();
    assert_eq!(error, "the decoder was ended by signal 9, in two processes");
}

#[test]
fn page_that_needs_more_memory_than_there_is_is_over_the_limit() {
    let limits = Limits { memory_bytes: 1 << 28, ..Limits::default() };
    let command = DecoderCommand::new(PROGRAM.into(), &limits);
    let pool = DecoderPool::new(&limits, Some(&command));
    // 14,000 x 14,000 pixels of one colour
    let webp: Arc<[u8]> = (*b"RIFF\x1e\x00\x00\x00WEBPVP8L\x11\x00\x00\x00/\xaf\xf6\xab\x0d\x07\xd0\xff\xfe\xf7\xbf\xff\x81\x88\xe8\x7f\x00\x00").into();
    let error = pool.page(&webp, 0, &limits.page_deadline()).expect_err("it takes 784 MB");
    assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
    // also where the program that starts it asks for backtraces
    let script = format!(
        "{}; [ \"$RUST_BACKTRACE\" = 0 ] && echo memory allocation of 4096 bytes failed >&2; kill -ABRT $$",
        greeting(env!("CARGO_PKG_VERSION"))
    );
    let command = decoder_behind(&script, &limits);
    let error = DecoderPool::new(&limits, Some(&command)).page(&fixture("g4.tif"), 0, &limits.page_deadline());
    assert!(matches!(error.expect_err("it has no memory").kind(), ErrorKind::Limit { actual: 4096, .. }));
}

#[test]
fn decoder_of_many_pages_receives_their_file_once() {
    let limits = Limits::default();
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let log: PathBuf = dir.path().join("requests");
    let script = format!("tee -a '{}' | \"$@\"", log.display());
    let command = decoder_behind(&script, &limits);
    let pool = DecoderPool::new(&limits, Some(&command));
    let files = [fixture("polarity.pdf"), fixture("g4.tif")];
    // two files, two processes: each file stays with the process that has it open
    pool.start().expect("it starts");
    pool.start().expect("it starts");
    for idx in 0..3 {
        files.iter().for_each(|file| {
            drop(pool.page(file, if file.starts_with(b"%PDF") { idx } else { 0 }, &limits.page_deadline()))
        });
    }
    drop(pool);
    let received = fs::read(&log).expect("it was written");
    for file in &files {
        assert_eq!(received.windows(file.len()).filter(|window| *window == &file[..]).count(), 1);
    }
}

//! Scans to read, and the program to call.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use image::{GrayImage, ImageFormat, Luma};

/// The template of a picture that is one field.
pub const STRIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/strip.toml");

/// The program, called in `folder`.
pub fn formread(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_formread"));
    command.current_dir(folder);
    command
}

/// Runs the program in `folder` with `args` and nothing on standard input.
pub fn call(folder: &Path, args: &[&str]) -> Output {
    formread(folder).args(args).stdin(Stdio::null()).output().expect("the program can be started")
}

/// The same with `input` on standard input.
pub fn call_with_input(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut command = formread(folder);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program can be started");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("the program reads it");
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

/// What was said on stderr.
pub fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A strip with upright strokes, no two of 40,000 alike.
pub fn strip(i: u32) -> GrayImage {
    let (top, bottom, shift) = (12 + i / 35 % 12, 52 - i / 420 % 12, i / 5040 % 8);
    let is_stroke = |x: u32| (20..24 + i % 7).contains(&((x + shift) % (40 + i % 5)));
    let is_ink = |x: u32, y: u32| (top..bottom).contains(&y) && is_stroke(x);
    GrayImage::from_fn(160, 64, |x, y| Luma([if is_ink(x, y) { 15 } else { 245 }]))
}

/// `n` strips: `00.png`, `01.png`...
pub fn write_strips(folder: &Path, n: u32) {
    fs::create_dir_all(folder).expect("the folder is writable");
    for i in 0..n {
        strip(i)
            .save_with_format(folder.join(format!("{i:02}.png")), ImageFormat::Png)
            .expect("the folder is writable");
    }
}

/// Names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

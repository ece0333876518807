//! Scans to read, and the program to call.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use formread_core::{
    assemble::{FieldState, PageReading},
    form::FieldKind,
    segment::FieldInk,
};
use formread_page as page;
use formread_page::Limits;
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
fn strip(i: u32) -> GrayImage {
    let (top, bottom, shift) = (12 + i / 35 % 12, 52 - i / 420 % 12, i / 5040 % 8);
    let is_stroke = |x: u32| (20..24 + i % 7).contains(&((x + shift) % (40 + i % 5)));
    let is_ink = |x: u32, y: u32| (top..bottom).contains(&y) && is_stroke(x);
    GrayImage::from_fn(160, 64, |x, y| Luma([if is_ink(x, y) { 15 } else { 245 }]))
}

/// The strips of these numbers: `00.png`, `01.png`...
pub fn write_strips(folder: &Path, strips: impl IntoIterator<Item = u32>) {
    fs::create_dir_all(folder).expect("the folder is writable");
    for (n, i) in strips.into_iter().enumerate() {
        strip(i)
            .save_with_format(folder.join(format!("{n:02}.png")), ImageFormat::Png)
            .expect("the folder is writable");
    }
}

/// The digits in the codes of the scans that come with the program: ink, 0 paper .. 255 ink, tight, and what it is.
pub fn digits_of_fixtures() -> Vec<(GrayImage, u8)> {
    let scans = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scans");
    let reader = formread_torch::TorchBackend::shipped()
        .and_then(|backend| {
            formread::Reader::builder().templates(formread_core::form::known_templates()?).backend(backend).build()
        })
        .expect("the weights are sound");
    let mut stock = Vec::new();
    for scan in ["office/page-0001.jpg", "office/page-0002.jpg", "skewed/page-0001.png", "feeder/file-0001.tif"] {
        let bytes = fs::read(scans.join(scan)).expect("it comes with the program");
        for page in page::open(&bytes, &Limits::default()).expect("it is an image") {
            let report = reader.stages().read_page(1, &page.expect("it is sound")).expect("the net does not fail");
            let (PageReading::Read { fields, .. }, Some(cut)) = (report.record.reading, report.cut) else { continue };
            let template = &reader.templates()[cut.template_idx];
            for ((field, value), cut) in template.fields.iter().zip(fields).zip(&cut.cuts) {
                let FieldInk::Written(lattice) = &cut.ink else { continue };
                if field.kind == FieldKind::Code && value.state == FieldState::Accepted {
                    let inks = lattice.edges.iter().filter_map(|edge| edge.crop.as_ref()).map(|crop| crop.ink.clone());
                    stock.extend(inks.zip(value.guess.bytes().map(|digit| digit - b'0')));
                }
            }
        }
    }
    assert!((0..10).all(|digit| stock.iter().any(|sign| sign.1 == digit)), "there is one of each");
    stock
}

/// Names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

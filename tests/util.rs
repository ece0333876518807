//! Helpers: scans to read, and calls of the program.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use formread_core::{form::FieldKind, segment::FieldInk};
use formread_page as page;
use formread_page::Limits;
use image::{GrayImage, ImageFormat, Luma};

/// Path of the template whose whole picture is one field.
pub const STRIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/strip.toml");

/// Path of the program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_formread");

/// A command that runs the program in `folder`.
pub fn formread(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder);
    command
}

/// Runs the program in `folder` with `args` and nothing on standard input.
pub fn call(folder: &Path, args: &[&str]) -> Output {
    formread(folder).args(args).stdin(Stdio::null()).output().expect("the program can be started")
}

/// Runs the program in `folder` with `args` and `input` on standard input.
pub fn call_with_input(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut command = formread(folder);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program can be started");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("the program reads it");
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

/// The text on standard error.
pub fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Strip number `i`, with upright strokes. The first 40,000 strips differ from each other.
fn strip(i: u32) -> GrayImage {
    let (top, bottom, shift) = (12 + i / 35 % 12, 52 - i / 420 % 12, i / 5040 % 8);
    let is_stroke = |x: u32| (20..24 + i % 7).contains(&((x + shift) % (40 + i % 5)));
    let is_ink = |x: u32, y: u32| (top..bottom).contains(&y) && is_stroke(x);
    GrayImage::from_fn(160, 64, |x, y| Luma([if is_ink(x, y) { 15 } else { 245 }]))
}

/// Writes the strips with these numbers to `folder`, as `00.png`, `01.png`, ...
pub fn write_strips(folder: &Path, strips: impl IntoIterator<Item = u32>) {
    fs::create_dir_all(folder).expect("the folder is writable");
    for (n, i) in strips.into_iter().enumerate() {
        strip(i)
            .save_with_format(folder.join(format!("{n:02}.png")), ImageFormat::Png)
            .expect("the folder is writable");
    }
}

/// The handwritten digits in the code fields of the fixtures: ink (0 paper .. 255 ink), cropped to the digit, and the digit. What is
/// written says the truth of the fixtures, and not a net.
pub fn digits_of_fixtures() -> Vec<(GrayImage, u8)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let templates = formread_core::form::known_templates().expect("the built-in templates are valid");
    let backend = formread_torch::TorchBackend::shipped().expect("the shipped weights are valid");
    let reader = formread::Reader::builder().templates(templates).backend(backend).build().expect("they are templates");
    let mut truth = csv::Reader::from_path(fixtures.join("truth.csv")).expect("the file exists");
    let rows: Vec<BTreeMap<String, String>> = truth.deserialize().collect::<Result<_, _>>().expect("it is a table");
    let mut digits = Vec::new();
    for scan in ["office/page-0001.jpg", "office/page-0002.jpg", "skewed/page-0001.png", "feeder/file-0001.tif"] {
        let bytes = fs::read(fixtures.join("scans").join(scan)).expect("the fixture exists");
        for (number, page) in (1..).zip(page::open(&bytes, &Limits::default()).expect("the fixture is an image")) {
            let page = page.expect("the page can be decoded");
            let Ok((template_idx, registration)) = reader.stages().register(&page) else { continue };
            let written = rows.iter().find(|row| row["scan"] == scan && row["page"] == u32::to_string(&number));
            let written = written.expect("the page has a row");
            let cut = reader.stages().cut(&page, template_idx, registration);
            for (field, cut) in reader.templates()[template_idx].fields.iter().zip(&cut.cuts) {
                let FieldInk::Written(lattice) = &cut.ink else { continue };
                let value = &written[&field.name];
                let inks: Vec<_> = lattice.edges.iter().filter_map(|edge| edge.crop.as_ref()).collect();
                if field.kind == FieldKind::Code && inks.len() == value.len() {
                    let inks = inks.into_iter().map(|crop| crop.ink.clone());
                    digits.extend(inks.zip(value.bytes().map(|digit| digit - b'0')));
                }
            }
        }
    }
    assert!((0..10).all(|digit| digits.iter().any(|known| known.1 == digit)), "the fixtures have every digit");
    digits
}

/// Names of the files and folders in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder exists");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be listed").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

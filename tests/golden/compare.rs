//! Comparison with golden files, and pictures of the difference.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use image::{GenericImage, GrayImage, ImageFormat, Luma, imageops};

/// What to do about a difference.
const HINT: &str = "where the change is meant: make golden, and review the diff";
/// Grey levels by which pixels may differ: processors round differently.
const MAX_GREY_DIFFERENCE: u8 = 2;
/// Differing lines that a message shows.
const MAX_LINES_SHOWN: usize = 5;
/// How much larger a picture of a difference is drawn.
const ENLARGEMENT: u32 = 4;
/// Between the panels of a picture, pixels before enlargement.
const PANEL_GAP: u32 = 3;
const PANEL_GAP_GREY: Luma<u8> = Luma([150]);

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The golden file of this name.
pub fn golden(name: &str) -> PathBuf {
    repository().join("fixtures/golden").join(name)
}

/// Whether the golden files are to be written rather than compared.
pub fn is_renewal() -> bool {
    match env::var("GOLDEN").as_deref() {
        Err(_) => false,
        Ok("renew") => true,
        Ok(other) => panic!("GOLDEN={other}\nhint: unset it, or GOLDEN=renew"),
    }
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    let folder = path.parent().expect("it has a folder");
    fs::create_dir_all(folder).and_then(|()| fs::write(path, bytes)).expect("the checkout is writable");
}

/// Where what was found instead of a golden file is put.
fn difference_path(name: &str) -> PathBuf {
    repository().join("target/golden-diff").join(name)
}

/// The golden text of this name; writes `found` in its place on renewal.
fn expected_text(name: &str, found: &str) -> String {
    let path = golden(name);
    if is_renewal() {
        write(&path, found);
    }
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}\nhint: make golden", path.display()))
}

/// Compares a text with the golden one, lines by `is_equal`. On a difference `draw`, given the expected text, may add a picture.
#[track_caller]
pub fn assert_text(
    name: &str,
    found: &str,
    is_equal: impl Fn(&str, &str) -> bool,
    draw: impl FnOnce(&str) -> Option<GrayImage>,
) {
    let expected = expected_text(name, found);
    let n_lines = expected.lines().count().max(found.lines().count());
    let line = |text: &str, i: usize| text.lines().nth(i).unwrap_or("(no line)").to_owned();
    let pairs = (0..n_lines).map(|i| (i + 1, line(&expected, i), line(found, i)));
    let different: Vec<_> = pairs.filter(|(_, expected, found)| !is_equal(expected, found)).collect();
    if different.is_empty() {
        return;
    }
    let path = difference_path(name);
    write(&path, found);
    let shown = different.iter().take(MAX_LINES_SHOWN);
    let shown: Vec<String> =
        shown.map(|(n, expected, found)| format!("line {n}\n  expected {expected}\n  found    {found}")).collect();
    let picture = draw(&expected).map_or(String::new(), |picture| {
        let path = path.with_extension("png");
        save(&picture, &path);
        format!("\npicture (expected, found, difference): {}", path.display())
    });
    let (n, shown, path) = (different.len(), shown.join("\n"), path.display());
    panic!("{name}: {n} lines differ\n{shown}\nfound: {path}{picture}\nhint: {HINT}");
}

/// Whether two lines have the same words, and numbers with a decimal point within `tolerance` of each other.
pub fn is_close(expected: &str, found: &str, tolerance: f64) -> bool {
    let is_close_word = |(expected, found): (&str, &str)| {
        let number = |word: &str| word.contains('.').then(|| word.parse::<f64>().ok()).flatten();
        match (number(expected), number(found)) {
            (Some(expected), Some(found)) => (expected - found).abs() <= tolerance,
            _ => expected == found,
        }
    };
    let (expected, found): (Vec<&str>, Vec<&str>) = (expected.split(' ').collect(), found.split(' ').collect());
    expected.len() == found.len() && expected.into_iter().zip(found).all(is_close_word)
}

/// Compares a picture with the golden one.
#[track_caller]
pub fn assert_picture(name: &str, found: &GrayImage) {
    let path = golden(name);
    if is_renewal() {
        save(found, &path);
    }
    let expected = image::open(&path).unwrap_or_else(|error| panic!("{}: {error}\nhint: make golden", path.display()));
    let expected = expected.into_luma8();
    let mut pairs = expected.pixels().zip(found.pixels());
    let is_same = expected.dimensions() == found.dimensions()
        && pairs.all(|(expected, found)| expected[0].abs_diff(found[0]) <= MAX_GREY_DIFFERENCE);
    if !is_same {
        let path = difference_path(name);
        save(&panels(&expected, found), &path);
        let (expected, found, path) = (expected.dimensions(), found.dimensions(), path.display());
        panic!(
            "{name} differs: {expected:?} pixels expected, {found:?} found\n\
             picture (expected, found, difference): {path}\nhint: {HINT}"
        );
    }
}

fn save(picture: &GrayImage, path: &Path) {
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("the checkout is writable");
    picture.save_with_format(path, ImageFormat::Png).expect("the checkout is writable");
}

/// Expected, found and their difference side by side, enlarged.
pub fn panels(expected: &GrayImage, found: &GrayImage) -> GrayImage {
    let (width, height) = (expected.width().max(found.width()), expected.height().max(found.height()));
    let grey = |picture: &GrayImage, x: u32, y: u32| picture.get_pixel_checked(x, y).map_or(255, |pixel| pixel[0]);
    let difference = GrayImage::from_fn(width, height, |x, y| {
        let off = grey(expected, x, y).abs_diff(grey(found, x, y));
        Luma([255 - if off > MAX_GREY_DIFFERENCE { off.max(60) } else { 0 }])
    });
    let mut all = GrayImage::from_pixel(3 * width + 2 * PANEL_GAP, height, PANEL_GAP_GREY);
    for (i, panel) in (0..).zip([expected, found, &difference]) {
        all.copy_from(panel, i * (width + PANEL_GAP), 0).expect("there is room for three");
    }
    let [width, height] = [all.width(), all.height()].map(|side| side * ENLARGEMENT);
    imageops::resize(&all, width, height, imageops::FilterType::Nearest)
}

#[test]
fn lines_are_compared_number_by_number() {
    assert!(is_close("corner 1.000 22.500", "corner 1.004 22.495", 0.01));
    assert!(!is_close("corner 1.000", "corner 1.020", 0.01));
    assert!(!is_close("nodes 4", "nodes 5", 0.01), "counts are exact");
    assert!(!is_close("corner 1.000", "corner 1.000 2.000", 0.01));
    assert!(!is_close("residual none", "residual 0.200", 0.01));
}

#[test]
fn panels_show_expected_found_and_difference() {
    let [expected, found] = [0, 200].map(|grey| GrayImage::from_pixel(2, 2, Luma([grey])));
    let picture = panels(&expected, &found);
    let at = |panel: u32| picture.get_pixel(panel * (2 + PANEL_GAP) * ENLARGEMENT, 0)[0];
    assert_eq!([at(0), at(1), at(2)], [0, 200, 55]);
}

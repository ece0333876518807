//! Reads labelled digits from IDX files and from folders of images.
//!
//! A folder contains one of four things: MNIST's IDX files under their own names; `<class>/` folders of images;
//! `<writer>/<class>/` folders of images; or `.jsonl` files of pen tracks. The name of a class folder is its digit.

mod tracks;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use image::GrayImage;
use rayon::prelude::*;

use formread_core::normalise::{GLYPH_SIDE, Glyph, INK_SIDE, MASS_CENTRE, normalise};
use formread_page::Limits;
use formread_raster::error::{Error, Format, Result};
use formread_raster::fsio::read_bounded;
use formread_raster::{extract_ink, remove_neighbours};

pub use tracks::Track;

/// Maximum length of the longer side of stored ink, pixels. A large scan must not fill the memory. It is twice the size at
/// which augmentation draws, so that scaling down twice loses nothing.
const MAX_STORED_INK_SIDE: u32 = 96;

/// Maximum side length of an image of one digit, pixels.
const MAX_IMAGE_SIDE: u32 = 4096;

/// Names of MNIST's training images and labels.
const TRAIN_PAIR: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
/// Names of MNIST's test images and labels.
const TEST_PAIR: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// One labelled digit.
#[derive(Debug, Clone)]
pub struct Sample {
    /// [H, W] u8, 0 paper .. 255 ink.
    pub ink: GrayImage,
    /// Whether `ink` is already a normalised glyph, as in MNIST.
    pub is_normalised: bool,
    /// The digit, 0 to 9.
    pub digit: u8,
    /// Index into [`GlyphSet::writers`]; `None` if the writer is not known.
    pub writer: Option<usize>,
}

/// Labelled digits of one source.
#[derive(Debug, Clone)]
pub struct GlyphSet {
    /// Name of the folder; for IDX files with the part, as in `mnist/train`.
    pub name: String,
    /// Names of the writers, sorted; empty if they are not known.
    pub writers: Vec<String>,
    /// The digits, in the order of the files.
    pub samples: Vec<Sample>,
    /// Whole numbers as pen tracks.
    pub numbers: Vec<Track>,
    /// Whether the digits are drawn by pen tracks, and not scanned.
    pub is_tracked: bool,
}

/// The labelled digits of a folder.
#[derive(Debug, Clone)]
pub struct GlyphFolder {
    /// Digits for training.
    pub train: Option<GlyphSet>,
    /// Digits that the source reserves for testing (MNIST's `t10k`).
    pub test: Option<GlyphSet>,
}

impl Sample {
    /// The glyph as input of the net; `None` if there is no ink.
    pub fn glyph(&self) -> Option<Glyph> {
        if !self.is_normalised {
            return normalise(&self.ink);
        }
        let mut glyph: Glyph = Box::new([0.0; GLYPH_SIDE * GLYPH_SIDE]);
        for (value, &ink) in glyph.iter_mut().zip(self.ink.as_raw()) {
            *value = f32::from(ink) / 255.0;
        }
        Some(glyph)
    }
}

/// Reads the labelled digits in `folder`.
///
/// # Errors
/// `Usage` if there are none; `Format` or `Limit` with the file if its content does not match its name.
pub fn read_folder(folder: &Path) -> Result<GlyphFolder> {
    let name = folder_name(folder);
    let pair = |[images, labels]: [&str; 2], half: &str| {
        let (images, labels) = (folder.join(images), folder.join(labels));
        let exist = images.exists() && labels.exists();
        exist.then(|| read_idx(&images, &labels, format!("{name}/{half}"))).transpose()
    };
    let (train, test) = (pair(TRAIN_PAIR, "train")?, pair(TEST_PAIR, "t10k")?);
    if train.is_some() || test.is_some() {
        return Ok(GlyphFolder { train, test });
    }
    let is_tracks = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "jsonl");
    let files: Vec<PathBuf> = entries(folder)?.into_iter().filter(is_tracks).collect();
    let samples = if files.is_empty() { image_folder(folder, name)? } else { tracks::read_tracks(&files, name)? };
    if samples.samples.is_empty() {
        return Err(Error::usage(format_args!("no labelled digits in {}", folder.display())).with_hint(
            "give MNIST's four IDX files, unpacked, image folders <class>/ or <writer>/<class>/ with a class from 0 to 9, \
             or .jsonl files of pen tracks",
        ));
    }
    Ok(GlyphFolder { train: Some(samples), test: None })
}

/// The last part of the folder's canonical path.
fn folder_name(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.file_name().map_or_else(|| "glyphs".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Reads a pair of IDX files (LeCun, Cortes and Burges, "The MNIST database of handwritten digits": big-endian magic number
/// 0x0000_08DD with D axes, then the axes' lengths, then bytes).
fn read_idx(images: &Path, labels: &Path, name: String) -> Result<GlyphSet> {
    let (image_axes, pixels) = read_idx_file::<3>(images)?;
    let (label_axes, digits) = read_idx_file::<1>(labels)?;
    let [count, height, width] = image_axes;
    if label_axes[0] != count {
        let n_labels = label_axes[0];
        return Err(
            Error::format(Format::Idx, format_args!("{n_labels} labels for {count} images")).in_file(display(labels))
        );
    }
    let max_side = MAX_IMAGE_SIDE as usize;
    if height == 0 || width == 0 || height > max_side || width > max_side {
        return Err(Error::format(Format::Idx, format_args!("images of {width} x {height}")).in_file(display(images)));
    }
    if let Some(label) = digits.iter().find(|&&digit| digit > 9) {
        return Err(Error::format(Format::Idx, format_args!("label: {label}")).in_file(display(labels)));
    }
    let samples = pixels.par_chunks_exact(height * width).zip(digits.par_iter()).map(|(pixels, &digit)| {
        let ink = GrayImage::from_raw(width as u32, height as u32, pixels.to_vec())
            .expect("a chunk has the pixels of one image");
        Sample { is_normalised: is_normalised(&ink), ink, digit, writer: None }
    });
    Ok(GlyphSet { name, writers: Vec::new(), samples: samples.collect(), numbers: Vec::new(), is_tracked: false })
}

/// Reads the lengths of the axes and the bytes of an IDX file with `D` axes of unsigned bytes.
fn read_idx_file<const D: usize>(path: &Path) -> Result<([usize; D], Vec<u8>)> {
    let format_error = |detail: String| Error::format(Format::Idx, detail).in_file(display(path));
    let mut bytes = read_file(path)?;
    let header_len = 4 * (D + 1);
    if bytes.len() < header_len {
        return Err(format_error(format!("header too short: {} bytes", bytes.len())));
    }
    let words: Vec<u32> = bytes[..header_len].as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word)).collect();
    let magic = 0x0800 | D as u32;
    if words[0] != magic {
        return Err(format_error(format!("magic number: {:#010x}, expected {magic:#010x}", words[0])));
    }
    let axes: [usize; D] = std::array::from_fn(|i| words[i + 1] as usize);
    let declared = axes.iter().try_fold(1usize, |product, &axis| product.checked_mul(axis));
    let found = bytes.len() - header_len;
    if declared != Some(found) {
        return Err(format_error(format!("axes {axes:?} with {found} bytes")));
    }
    Ok((axes, bytes.split_off(header_len)))
}

/// Whether `ink` is a glyph normalised as in MNIST: 28 x 28 pixels, with ink that fits 20 x 20 and is centred by mass.
fn is_normalised(ink: &GrayImage) -> bool {
    let side = GLYPH_SIDE as u32;
    if ink.dimensions() != (side, side) {
        return false;
    }
    let (mut left, mut top, mut right, mut bottom) = (side, side, 0, 0);
    let (mut mass, mut moment_x, mut moment_y) = (0.0, 0.0, 0.0);
    for (x, y, v) in ink.enumerate_pixels().filter(|(_, _, v)| v[0] > 0) {
        (left, top, right, bottom) = (left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1));
        mass += f64::from(v[0]);
        moment_x += f64::from(v[0]) * (f64::from(x) + 0.5);
        moment_y += f64::from(v[0]) * (f64::from(y) + 0.5);
    }
    let longer = right.saturating_sub(left).max(bottom.saturating_sub(top)) as usize;
    let off_centre = (moment_x / mass - MASS_CENTRE).abs().max((moment_y / mass - MASS_CENTRE).abs());
    // the ink is 19 or 20 pixels long, since anti-aliasing may lose the outermost row
    (INK_SIDE - 1..=INK_SIDE).contains(&longer) && off_centre <= 0.75
}

/// Reads images in `<class>/` or `<writer>/<class>/` folders.
fn image_folder(folder: &Path, name: String) -> Result<GlyphSet> {
    let mut files: Vec<(PathBuf, u8, Option<String>)> = Vec::new();
    for entry in sub_folders(folder)? {
        let entry_name = folder_name(&entry);
        if let Some(digit) = class_of(&entry_name)
            && !sub_folders(&entry)?.iter().any(|inner| class_of(&folder_name(inner)).is_some())
        {
            files.extend(images_in(&entry)?.into_iter().map(|file| (file, digit, None)));
            continue;
        }
        for inner in sub_folders(&entry)? {
            if let Some(digit) = class_of(&folder_name(&inner)) {
                files.extend(images_in(&inner)?.into_iter().map(|file| (file, digit, Some(entry_name.clone()))));
            }
        }
    }
    let mut writers: Vec<String> = files.iter().filter_map(|(_, _, writer)| writer.clone()).collect();
    writers.sort();
    writers.dedup();
    let writer_idx: BTreeMap<&String, usize> = writers.iter().zip(0..).collect();
    let samples = files
        .par_iter()
        .map(|(file, digit, writer)| {
            let writer = writer.as_ref().map(|writer| writer_idx[writer]);
            read_sample(file, *digit, writer)
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(GlyphSet { name, writers, samples, numbers: Vec::new(), is_tracked: false })
}

/// Reads the image of one digit.
fn read_sample(file: &Path, digit: u8, writer: Option<usize>) -> Result<Sample> {
    let mut reader = image::ImageReader::new(std::io::Cursor::new(read_file(file)?))
        .with_guessed_format()
        .map_err(|error| Error::from(error).in_file(display(file)))?;
    let mut limits = image::Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_IMAGE_SIDE), Some(MAX_IMAGE_SIDE));
    reader.limits(limits);
    let picture =
        reader.decode().map_err(|error| Error::format(Format::Image, error).in_file(display(file)))?.to_luma8();
    // glyphs of MNIST stored as pictures are white on black
    if is_normalised(&picture) {
        return Ok(Sample { ink: picture, is_normalised: true, digit, writer });
    }
    let ink = crop_for_storage(&remove_neighbours(&extract_ink(&picture)));
    Ok(Sample { ink, is_normalised: false, digit, writer })
}

/// Crops an image to its ink, and scales it down to at most [`MAX_STORED_INK_SIDE`].
fn crop_for_storage(ink: &GrayImage) -> GrayImage {
    let (mut left, mut top, mut right, mut bottom) = (u32::MAX, u32::MAX, 0, 0);
    for (x, y, _) in ink.enumerate_pixels().filter(|(_, _, v)| v[0] > 0) {
        (left, top, right, bottom) = (left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1));
    }
    if left == u32::MAX {
        return GrayImage::new(1, 1);
    }
    let (width, height) = (right - left, bottom - top);
    let cut = image::imageops::crop_imm(ink, left, top, width, height).to_image();
    let longer = width.max(height);
    if longer <= MAX_STORED_INK_SIDE {
        return cut;
    }
    let scaled = |side: u32| (side * MAX_STORED_INK_SIDE / longer).max(1);
    image::imageops::resize(&cut, scaled(width), scaled(height), image::imageops::FilterType::Triangle)
}

fn class_of(folder_name: &str) -> Option<u8> {
    folder_name.parse().ok().filter(|digit| *digit <= 9 && folder_name.len() == 1)
}

fn sub_folders(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

fn images_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_image = |path: &PathBuf| path.is_file() && image::ImageFormat::from_path(path).is_ok();
    Ok(entries(folder)?.into_iter().filter(is_image).collect())
}

/// The paths in a folder, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = || -> std::io::Result<Vec<PathBuf>> {
        let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    };
    list().map_err(|error| Error::from(error).in_file(display(folder)))
}

/// Reads a file of at most the size limit of scans.
fn read_file(path: &Path) -> Result<Vec<u8>> {
    read_bounded(path, Limits::default().file_bytes).map_err(|error| error.in_file(display(path)))
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    fn idx(axes: &[u32], bytes: &[u8]) -> Vec<u8> {
        let magic = 0x0800 | axes.len() as u32;
        std::iter::once(&magic).chain(axes).flat_map(|word| word.to_be_bytes()).chain(bytes.iter().copied()).collect()
    }

    fn write(folder: &Path, name: &str, bytes: &[u8]) {
        fs::write(folder.join(name), bytes).expect("the file can be written");
    }

    #[test]
    fn idx_files_are_read_and_malformed_ones_rejected() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let folder = folder.path();
        assert!(read_folder(folder).is_err());
        let pixels = [0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255];
        write(folder, TRAIN_PAIR[0], &idx(&[2, 3, 2], &pixels));
        write(folder, TRAIN_PAIR[1], &idx(&[2], &[7, 1]));
        let found = read_folder(folder).expect("both files are sound");
        assert!(found.test.is_none());
        let set = found.train.expect("the training pair is there");
        assert_eq!(set.samples.iter().map(|sample| sample.digit).collect::<Vec<_>>(), [7, 1]);
        assert_eq!(set.samples[0].ink.dimensions(), (2, 3));

        let malformed_labels = [idx(&[3], &[7, 1, 2]), idx(&[2], &[7, 10]), idx(&[2], &[7]), vec![0, 0]];
        for labels in malformed_labels {
            write(folder, TRAIN_PAIR[1], &labels);
            let error = read_folder(folder).expect_err("the labels are malformed");
            assert!(error.to_string().contains(TRAIN_PAIR[1]), "{error}");
        }
        write(folder, TRAIN_PAIR[1], &idx(&[2], &[7, 1]));
        for images in [idx(&[u32::MAX, u32::MAX, u32::MAX], &[0]), idx(&[2, 0, 0], &[]), idx(&[2], &[0, 0])] {
            write(folder, TRAIN_PAIR[0], &images);
            assert!(read_folder(folder).is_err());
        }
    }

    #[test]
    fn image_folders_are_read_with_and_without_writers() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let picture = GrayImage::from_fn(40, 40, |x, y| Luma([if x.abs_diff(20) < 3 && y > 8 { 30 } else { 240 }]));
        for class in ["one/3", "one/4", "two/3", "flat/3", "flat/5", "flat/notes"] {
            let class = folder.path().join(class);
            fs::create_dir_all(&class).expect("the folder can be made");
            picture.save(class.join("a.png")).expect("the picture can be written");
            fs::write(class.join("read.me"), "no picture").expect("the file can be written");
        }
        let flat = read_folder(&folder.path().join("flat")).expect("it holds classes").train.expect("one half");
        assert_eq!(flat.samples.iter().map(|s| (s.digit, s.writer)).collect::<Vec<_>>(), [(3, None), (5, None)]);
        assert!(flat.samples[0].glyph().is_some());
        let writers = read_folder(folder.path()).expect("it holds writers").train.expect("one half");
        assert_eq!(writers.writers, ["flat", "one", "two"]);
        assert_eq!(writers.samples.len(), 5);

        fs::write(folder.path().join("one/3/b.png"), "no picture").expect("the file can be written");
        let error = read_folder(folder.path()).expect_err("a file is no picture").to_string();
        assert!(error.contains("b.png"), "{error}");
    }

    #[test]
    fn normalised_glyph_is_not_normalised_again() {
        let drawn = GrayImage::from_fn(60, 80, |x, y| Luma([if x.abs_diff(30) < 8 || y < 12 { 255 } else { 0 }]));
        let glyph = normalise(&drawn).expect("there is ink");
        let ink = GrayImage::from_fn(28, 28, |x, y| Luma([(glyph[(y * 28 + x) as usize] * 255.0).round() as u8]));
        assert!(is_normalised(&ink));
        let sample = Sample { ink, is_normalised: true, digit: 7, writer: None };
        let same = sample.glyph().expect("there is ink");
        assert!(glyph.iter().zip(same.iter()).all(|(a, b)| (a - b).abs() <= 0.5 / 255.0 + 1e-6));
        assert!(!is_normalised(&GrayImage::new(28, 28)));
    }
}

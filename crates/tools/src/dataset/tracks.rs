//! Digits and numbers as the tracks of a pen: text files of one JSON object a line, with `writer`, `label` and `strokes`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use image::{GrayImage, Luma};
use rayon::prelude::*;
use serde::Deserialize;

use super::{GlyphSet, MAX_STORED_INK_SIDE, Sample, display, read_file};
use formread_core::scores::Sign;
use formread_raster::error::{Error, Format, Result};

/// Most points of a track. A longer one is no number.
const MAX_POINTS: usize = 20_000;

/// Most characters of a track's label.
const MAX_LABEL: usize = 32;

/// Width of the pen with which a digit is drawn, as a share of its longer side: the least and the most.
const PEN: (f32, f32) = (0.05, 0.15);

/// A number as somebody wrote it with a pen.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Digits, and characters of [`Sign`].
    pub label: String,
    /// Its strokes: points in units of the tablet, y down.
    pub strokes: Vec<Vec<(f32, f32)>>,
    /// Index into [`GlyphSet::writers`].
    pub writer: Option<usize>,
}

#[derive(Deserialize)]
struct Line {
    writer: String,
    label: String,
    strokes: Vec<Vec<(f32, f32)>>,
}

impl Track {
    /// Left, top, right and bottom of its points, units of the tablet. `None` without points.
    pub fn bounds(&self) -> Option<[f32; 4]> {
        let points = self.strokes.iter().flatten();
        points.fold(None, |bounds, &(x, y)| {
            let [left, top, right, bottom] = bounds.unwrap_or([x, y, x, y]);
            Some([left.min(x), top.min(y), right.max(x), bottom.max(y)])
        })
    }
}

/// Reads the files of tracks in a folder: single digits as samples, drawn with pens of several widths; the rest as numbers.
pub(super) fn read_tracks(files: &[PathBuf], name: String) -> Result<GlyphSet> {
    let mut lines = Vec::new();
    for file in files {
        lines.extend(read_lines(file)?);
    }
    let mut writers: Vec<String> = lines.iter().map(|line| line.writer.clone()).collect();
    writers.sort();
    writers.dedup();
    let writer_idx: BTreeMap<&String, usize> = writers.iter().zip(0..).collect();
    let (mut digits, mut numbers) = (Vec::new(), Vec::new());
    for line in lines {
        let writer = Some(writer_idx[&line.writer]);
        let track = Track { label: line.label, strokes: line.strokes, writer };
        match track.label.as_bytes() {
            [digit @ b'0'..=b'9'] => digits.push((*digit - b'0', track)),
            _ => numbers.push(track),
        }
    }
    let draw = |(i, (digit, track)): (usize, &(u8, Track))| {
        let share = (i % 8) as f32 / 7.0;
        let ink = draw_track(track, PEN.0 + share * (PEN.1 - PEN.0))?;
        Some(Sample { ink, is_normalised: false, digit: *digit, writer: track.writer })
    };
    let samples = digits.par_iter().enumerate().filter_map(draw).collect();
    Ok(GlyphSet { name, writers, samples, numbers, is_tracked: true })
}

fn read_lines(file: &Path) -> Result<Vec<Line>> {
    let bytes = read_file(file)?;
    let mut lines = Vec::new();
    for (i, text) in bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, text)| !text.is_empty()) {
        let fails =
            |what: String| Error::format(Format::Tracks, format_args!("line {}: {what}", i + 1)).in_file(display(file));
        let line: Line = serde_json::from_slice(text).map_err(|error| fails(error.to_string()))?;
        let is_known = |c: char| c.is_ascii_digit() || Sign::of(c).is_some();
        if line.label.is_empty() || line.label.len() > MAX_LABEL || !line.label.chars().all(is_known) {
            return Err(fails(format!("label: {:?}", line.label)));
        }
        let is_sound = line.strokes.iter().flatten().all(|(x, y)| x.is_finite() && y.is_finite());
        let n_points = line.strokes.iter().map(Vec::len).sum::<usize>();
        if !is_sound || !(1..=MAX_POINTS).contains(&n_points) {
            return Err(fails(format!("strokes: {n_points} points")));
        }
        lines.push(line);
    }
    Ok(lines)
}

/// Draws a track, its longer side as long as stored ink may be; the pen's width is a share of that. `None` without points.
fn draw_track(track: &Track, pen: f32) -> Option<GrayImage> {
    let [left, top, right, bottom] = track.bounds()?;
    let longer = (right - left).max(bottom - top).max(f32::MIN_POSITIVE);
    let side = MAX_STORED_INK_SIDE as f32;
    let (scale, half) = (side * (1.0 - pen) / longer, side * pen / 2.0);
    let (width, height) = ((right - left) * scale + 2.0 * half, (bottom - top) * scale + 2.0 * half);
    let mut ink = GrayImage::new(width.ceil().max(1.0) as u32, height.ceil().max(1.0) as u32);
    for stroke in &track.strokes {
        let path: Vec<(f32, f32)> =
            stroke.iter().map(|(x, y)| ((x - left) * scale + half, (y - top) * scale + half)).collect();
        let ends = path.windows(2).map(|pair| (pair[0], pair[1]));
        let spot = path.first().filter(|_| path.len() == 1).map(|&spot| (spot, spot));
        ends.chain(spot).for_each(|(a, b)| draw_segment(&mut ink, a, b, half));
    }
    Some(ink)
}

/// Draws a straight piece of a stroke, with an edge of one pixel between ink and paper.
fn draw_segment(ink: &mut GrayImage, a: (f32, f32), b: (f32, f32), half: f32) {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let squared = dx * dx + dy * dy;
    let reach = half + 1.0;
    let range = |from: f32, to: f32, end: u32| {
        ((from.min(to) - reach).max(0.0) as u32)..((from.max(to) + reach).max(0.0).ceil() as u32).min(end)
    };
    for y in range(a.1, b.1, ink.height()) {
        for x in range(a.0, b.0, ink.width()) {
            let (px, py) = (x as f32 + 0.5 - a.0, y as f32 + 0.5 - a.1);
            let along = if squared > 0.0 { ((px * dx + py * dy) / squared).clamp(0.0, 1.0) } else { 0.0 };
            let distance = (px - along * dx).hypot(py - along * dy);
            let value = ((half + 0.5 - distance).clamp(0.0, 1.0) * 255.0).round() as u8;
            let Luma([pixel]) = ink.get_pixel_mut(x, y);
            *pixel = (*pixel).max(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::read_folder;

    #[test]
    fn tracks_are_read_as_digits_and_numbers_and_malformed_ones_rejected() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let file = folder.path().join("a.jsonl");
        let one = r#"{"writer":"b","label":"1","strokes":[[[0,0],[1,40]]]}"#;
        let number = r#"{"writer":"a","label":"-1.2","strokes":[[[0,0],[9,0]],[[12,-9],[12,9]],[[15,9]]]}"#;
        fs::write(&file, format!("{one}\n{number}\n")).expect("the file can be written");
        let set = read_folder(folder.path()).expect("it is sound").train.expect("there is one half");
        assert_eq!(set.writers, ["a", "b"]);
        assert_eq!(set.samples.iter().map(|s| (s.digit, s.writer)).collect::<Vec<_>>(), [(1, Some(1))]);
        assert!(set.samples[0].glyph().is_some());
        assert_eq!((set.numbers[0].label.as_str(), set.numbers[0].writer), ("-1.2", Some(0)));
        assert_eq!(set.numbers[0].bounds(), Some([0.0, -9.0, 15.0, 9.0]));
        for line in [
            "{}",
            r#"{"writer":"a","label":"","strokes":[[[0,0]]]}"#,
            r#"{"writer":"a","label":"é","strokes":[[[0,0]]]}"#,
            r#"{"writer":"a","label":"1","strokes":[]}"#,
            r#"{"writer":"a","label":"1","strokes":[[[0,1e39]]]}"#,
        ] {
            fs::write(&file, line).expect("the file can be written");
            let error = read_folder(folder.path()).expect_err(line).to_string();
            assert!(error.contains("a.jsonl") && error.contains("line 1"), "{error}");
        }
    }
}

//! JPEG: the size of a picture, its resolution, and whether its data is whole.
//!
//! ITU-T T.81 (09/1992), annex B; JFIF 1.02. The decoder fills missing data with grey, reads on after a code that does not exist,
//! and reports neither. So each code of the file is read here before the file is decoded.

mod huffman;
mod scan;

use formread_raster::error::{Error, Format, Result};
use huffman::Table;
use scan::{Frame, Scan, ScanComponent};

/// What the markers before the first scan contain.
#[derive(Debug, Default, PartialEq)]
pub struct Header {
    /// Width and height of the frame.
    pub size: Option<[u32; 2]>,
    /// Pixels per inch across and down.
    pub dpi: Option<[f64; 2]>,
}

/// The first bytes of a file: the marker of its start, and the first byte of the next marker.
pub const START: [u8; 3] = [0xFF, SOI, 0xFF];
const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DHT: u8 = 0xC4;
const DQT: u8 = 0xDB;
const DRI: u8 = 0xDD;
const APP0: u8 = 0xE0;
/// Baseline, extended sequential and progressive frames with Huffman codes. No other is decoded.
const BASELINE: u8 = 0xC0;
const EXTENDED: u8 = 0xC1;
const PROGRESSIVE: u8 = 0xC2;

/// Reads the markers before the first scan, up to the first that is not valid.
pub fn read_header(bytes: &[u8]) -> Header {
    let mut header = Header::default();
    for (marker, body, _) in (Segments { bytes, at: 0 }) {
        match marker {
            _ if is_frame(marker) => {
                if let (Some(height), Some(width)) = (u16_at(body, 1), u16_at(body, 3)) {
                    header.size = Some([width.into(), height.into()]);
                }
            }
            APP0 if body.starts_with(b"JFIF\0") => header.dpi = jfif_dpi(body),
            SOS => break,
            _ => {}
        }
    }
    header
}

/// Checks that each code of a file is valid and each block of its picture is there. A missing marker of the end is no fault where
/// the picture is complete before it. `tables` are markers with the tables that several pictures of a TIFF page share.
///
/// # Errors
/// `Format` where the data is damaged, `Unsupported` where its coding is not read.
pub fn check(what: Format, bytes: &[u8], tables: &[u8]) -> Result<()> {
    let mut walk = Walk::default();
    for (marker, body, _) in (Segments { bytes: tables, at: 0 }) {
        walk.read_tables(marker, body).ok_or_else(|| damaged(what))?;
    }
    let mut segments = Segments { bytes, at: 0 };
    while let Some((marker, body, end)) = segments.next() {
        if is_frame(marker) && !matches!(marker, BASELINE | EXTENDED | PROGRESSIVE) {
            return Err(Error::unsupported(what, "a jpeg coding without huffman codes, or without loss"));
        }
        if is_frame(marker) && body.first().is_some_and(|bits| *bits != 8) {
            return Err(Error::unsupported(what, "jpeg samples of more than 8 bits"));
        }
        match marker {
            EOI => return if walk.has_scans { Ok(()) } else { Err(damaged(what)) },
            SOS => {
                let data = bytes.get(end..).unwrap_or_default();
                segments.at = end + walk.read_scan(body, data).ok_or_else(|| damaged(what))?;
            }
            _ => walk.read_tables(marker, body).ok_or_else(|| damaged(what))?,
        }
        walk.has_scans = walk
            .frame
            .as_ref()
            .is_some_and(|frame| frame.components.iter().all(|component| component.missing_bits[0].is_some()));
    }
    if walk.frame.is_some_and(|frame| frame.is_complete()) { Ok(()) } else { Err(damaged(what)) }
}

fn damaged(what: Format) -> Error {
    Error::format(what, "the data of its picture is damaged or breaks off")
}

/// Whether a marker starts a frame: all but the tables (C4, C8, CC) that share its numbers.
fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, DHT | 0xC8 | 0xCC)
}

/// The markers of a file: each with its body and the offset after it. Ends where none follows.
struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8], usize);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if *self.bytes.get(self.at)? != 0xFF {
                return None;
            }
            let marker = *self.bytes.get(self.at + 1)?;
            match marker {
                0xFF => self.at += 1, // fill
                SOI | 0x01 | 0xD0..=0xD7 => self.at += 2,
                EOI => {
                    let end = self.at + 2;
                    self.at = self.bytes.len();
                    return Some((EOI, &[], end));
                }
                _ => {
                    let end = self.at + 2 + usize::from(u16_at(self.bytes, self.at + 2)?);
                    let body = self.bytes.get(self.at + 4..end)?;
                    self.at = end;
                    return Some((marker, body, end));
                }
            }
        }
    }
}

/// What the markers so far define.
#[derive(Debug, Default)]
struct Walk {
    frame: Option<Frame>,
    /// The number of the quantisation of each component.
    quantisation_of: Vec<usize>,
    quantisations: [Option<scan::Quantisation>; 4],
    /// Tables of the first coefficients and of the others.
    dc: [Option<Table>; 4],
    ac: [Option<Table>; 4],
    restart_interval: u32,
    /// Whether each component had a scan.
    has_scans: bool,
}

impl Walk {
    /// Reads a marker other than that of a scan. `None` where it is not valid.
    fn read_tables(&mut self, marker: u8, body: &[u8]) -> Option<()> {
        match marker {
            _ if is_frame(marker) => self.read_frame(marker, body),
            DHT => self.read_codes(body),
            DQT => self.read_quantisations(body),
            DRI => {
                self.restart_interval = u16_at(body, 0)?.into();
                Some(())
            }
            _ => Some(()),
        }
    }

    fn read_frame(&mut self, marker: u8, body: &[u8]) -> Option<()> {
        if self.frame.is_some() {
            return None;
        }
        let size = [u16_at(body, 3)?, u16_at(body, 1)?].map(u32::from);
        let n_components = usize::from(*body.get(5)?);
        let described = body.get(6..6 + 3 * n_components).filter(|_| (1..=4).contains(&n_components))?;
        let mut components = Vec::new();
        for part in described.chunks_exact(3) {
            let sampling = [part[1] >> 4, part[1] & 15];
            if !sampling.iter().all(|factor| (1..=4).contains(factor)) {
                return None;
            }
            components.push((part[0], sampling.map(u32::from)));
            self.quantisation_of.push(part[2].into());
        }
        self.frame = Some(Frame::new(size, marker == PROGRESSIVE, &components));
        Some(())
    }

    fn read_codes(&mut self, mut body: &[u8]) -> Option<()> {
        while let [class_and_number, rest @ ..] = body {
            let counts: &[u8; 16] = rest.first_chunk()?;
            let n_symbols = counts.iter().map(|&count| usize::from(count)).sum::<usize>();
            let table = Table::build(counts, rest.get(16..16 + n_symbols)?)?;
            let tables = if class_and_number >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(usize::from(class_and_number & 15))? = Some(table);
            body = &rest[16 + n_symbols..];
        }
        Some(())
    }

    fn read_quantisations(&mut self, mut body: &[u8]) -> Option<()> {
        while let [precision_and_number, rest @ ..] = body {
            let n_bytes = if precision_and_number >> 4 == 0 { 1 } else { 2 };
            let steps = rest.get(..64 * n_bytes)?;
            let mut quantisation = [0; 64];
            for (step, bytes) in quantisation.iter_mut().zip(steps.chunks_exact(n_bytes)) {
                *step = bytes.iter().fold(0, |value, &byte| value << 8 | u16::from(byte));
            }
            *self.quantisations.get_mut(usize::from(precision_and_number & 15))? = Some(quantisation);
            body = &rest[64 * n_bytes..];
        }
        Some(())
    }

    /// Decodes a scan; returns the length of its data.
    fn read_scan(&mut self, body: &[u8], data: &[u8]) -> Option<usize> {
        let frame = self.frame.as_mut()?;
        for (component, &number) in frame.components.iter_mut().zip(&self.quantisation_of) {
            component.quantisation = component.quantisation.or_else(|| *self.quantisations.get(number)?);
        }
        let n_components = usize::from(*body.first()?);
        let parts = body.get(1..1 + 2 * n_components).filter(|_| (1..=4).contains(&n_components))?;
        let mut components = Vec::new();
        for part in parts.chunks_exact(2) {
            let idx = frame.components.iter().position(|component| component.id == part[0])?;
            let dc = self.dc.get(usize::from(part[1] >> 4))?.as_ref();
            let ac = self.ac.get(usize::from(part[1] & 15))?.as_ref();
            components.push(ScanComponent { idx, dc, ac });
        }
        let &[first, last, bits] = body.get(1 + 2 * n_components..)?.first_chunk()?;
        let (band, high, shift) =
            if frame.is_progressive { ([first, last], bits >> 4, bits & 15) } else { ([0, 63], 0, 0) };
        let [first, last] = band.map(usize::from);
        // in a progressive picture the first coefficient has scans of its own, and the others one for each component
        let is_valid_band = first <= last
            && last < 64
            && shift < 14
            && (!frame.is_progressive || if first == 0 { last == 0 } else { components.len() == 1 });
        if !is_valid_band {
            return None;
        }
        let scan = Scan {
            components,
            band: [first, last],
            is_refinement: high > 0,
            shift,
            restart_interval: self.restart_interval,
        };
        scan.walk(data, frame)
    }
}

/// Resolution in a JFIF header, dpi; `None` where it is only an aspect ratio.
fn jfif_dpi(body: &[u8]) -> Option<[f64; 2]> {
    let unit_dpi = match body.get(7)? {
        1 => 1.0,
        2 => 2.54, // per centimetre
        _ => return None,
    };
    Some([f64::from(u16_at(body, 8)?) * unit_dpi, f64::from(u16_at(body, 10)?) * unit_dpi])
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::{JpegEncoder, PixelDensity};

    use super::*;

    fn coded(colour: image::ExtendedColorType) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new(&mut bytes);
        encoder.set_pixel_density(PixelDensity::dpi(300));
        let n_samples = 40 * 30 * u32::from(colour.channel_count());
        let noise: Vec<u8> = (0..n_samples).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        encoder.encode(&noise, 40, 30, colour).expect("it can be coded");
        bytes
    }

    fn fixture(name: &str) -> Vec<u8> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/decode").join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn is_whole(bytes: &[u8]) -> bool {
        check(Format::Jpeg, bytes, &[]).is_ok()
    }

    #[test]
    fn file_truncated_anywhere_is_not_whole() {
        let files = [
            coded(image::ExtendedColorType::L8),
            coded(image::ExtendedColorType::Rgb8),
            fixture("progressive.jpg"),
            fixture("colour.jpg"),
            fixture("cmyk.jpg"),
        ];
        for mut bytes in files {
            assert!(is_whole(&bytes));
            let header = read_header(&bytes);
            // what is left may be padding of the last scan
            for len in 0..bytes.len() - 4 {
                assert!(!is_whole(&bytes[..len]), "{len} of {} bytes", bytes.len());
            }
            assert!(is_whole(&bytes[..bytes.len() - 2]), "only the marker of the end is missing");
            bytes.extend(b"what some cameras add");
            assert!(is_whole(&bytes));
            assert_eq!(read_header(&bytes), header);
        }
        let header = read_header(&coded(image::ExtendedColorType::L8));
        assert_eq!(header, Header { size: Some([40, 30]), dpi: Some([300.0, 300.0]) });
    }

    /// Strokes on paper, as on a form.
    fn page_like() -> image::RgbImage {
        image::RgbImage::from_fn(600, 400, |x, y| {
            let is_ink = y % 50 < 3 || (x / 7 + y / 5) % 13 == 3 && (x / 60) % 3 == 1;
            let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(97_531)) >> 13 & 7;
            let grey = if is_ink { 40 } else { 240 + grain as u8 };
            image::Rgb([grey, grey, grey.saturating_add(8)])
        })
    }

    #[test]
    // few bytes may be lost within a block, and the codes after it fit again
    fn bytes_lost_or_zeroed_within_a_scan_are_found() {
        let page = image::DynamicImage::from(page_like());
        for (image, what) in [(page.to_luma8().into(), "grey"), (page, "colour")] {
            let mut bytes = Vec::new();
            image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 80)).expect("it can be coded");
            assert!(is_whole(&bytes));
            let scan_at = bytes.windows(2).position(|pair| pair == [0xFF, SOS]).expect("there is a scan") + 14;
            for (len, max_missed_percent) in [(10, 25), (100, 2), (300, 0)] {
                let (mut n_lost, mut n_zeroed, mut n_places) = (0, 0, 0);
                for at in (scan_at..bytes.len() - 2 - len).step_by(37) {
                    let mut zeroed = bytes.clone();
                    zeroed[at..at + len].fill(0);
                    n_zeroed += u32::from(zeroed != bytes && is_whole(&zeroed));
                    n_lost += u32::from(is_whole(&[&bytes[..at], &bytes[at + len..]].concat()));
                    n_places += 1;
                }
                let n_missed = n_lost.max(n_zeroed);
                assert!(
                    n_missed * 100 <= max_missed_percent * n_places,
                    "{what}: of {n_places} places {n_lost} lost and {n_zeroed} zeroed of {len} bytes are not found"
                );
            }
        }
    }
}

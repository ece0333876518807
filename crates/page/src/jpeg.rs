//! The markers of a JPEG file: whether it is complete, the size of its picture, and its resolution.
//!
//! ITU-T T.81 (09/1992), annex B; JFIF 1.02. The decoder fills missing data with grey and reports no error, so the
//! markers are checked before a file is decoded.

/// What the markers contain.
#[derive(Debug, Default, PartialEq)]
pub struct Markers {
    /// Width and height of the frame.
    pub size: Option<[u32; 2]>,
    /// Pixels per inch across and down.
    pub dpi: Option<[f64; 2]>,
    /// Whether the end-of-image marker was reached after a scan.
    pub is_whole: bool,
}

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const APP0: u8 = 0xE0;

/// Reads the markers up to the first that is not valid.
pub fn read_markers(bytes: &[u8]) -> Markers {
    let mut markers = Markers::default();
    // `None` where the walk stopped early; what it found until then is kept
    let _ = walk(bytes, &mut markers);
    markers
}

fn walk(bytes: &[u8], markers: &mut Markers) -> Option<()> {
    let mut at = 0;
    let mut has_scan = false;
    loop {
        if *bytes.get(at)? != 0xFF {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        match marker {
            0xFF => {
                at += 1; // fill
                continue;
            }
            SOI | 0x01 | 0xD0..=0xD7 => {
                at += 2;
                continue;
            }
            EOI => {
                markers.is_whole = has_scan;
                return Some(());
            }
            _ => {}
        }
        let length = usize::from(u16_at(bytes, at + 2)?);
        let body = bytes.get(at + 4..at + 2 + length)?;
        match marker {
            // start of frame: all but the tables (C4, C8, CC) that share its numbers
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                markers.size = Some([u16_at(body, 3)?.into(), u16_at(body, 1)?.into()]);
            }
            APP0 if body.starts_with(b"JFIF\0") => markers.dpi = jfif_dpi(body),
            _ => {}
        }
        at += 2 + length;
        if marker == SOS {
            has_scan = true;
            at += entropy_coded_len(bytes.get(at..)?)?;
        }
    }
}

/// Length of the data of a scan, bytes; within it FF is followed by 0 or a restart marker.
fn entropy_coded_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xFF)?;
        match bytes.get(at + 1)? {
            0x00 | 0xD0..=0xD7 => at += 2,
            _ => return Some(at),
        }
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

    #[test]
    fn file_truncated_anywhere_is_not_whole() {
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new(&mut bytes);
        encoder.set_pixel_density(PixelDensity::dpi(300));
        let noise: Vec<u8> = (0..40 * 30u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        encoder.encode(&noise, 40, 30, image::ExtendedColorType::L8).expect("it can be coded");
        let whole = Markers { size: Some([40, 30]), dpi: Some([300.0, 300.0]), is_whole: true };
        assert_eq!(read_markers(&bytes), whole);
        for len in 0..bytes.len() {
            assert!(!read_markers(&bytes[..len]).is_whole, "{len} bytes");
        }
        bytes.extend(b"what some cameras add");
        assert_eq!(read_markers(&bytes), whole);
    }
}

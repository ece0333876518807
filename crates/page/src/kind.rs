//! The format of a file, by its first bytes.

use image::ImageFormat;

use super::{jpeg, pdf, single};
use formread_raster::error::Format;

/// The names of the formats that are read.
pub const READ_FORMATS: &str = "PNG, JPEG, JPEG 2000, TIFF, BMP, GIF, WebP and PDF";
/// Bytes at the start of a file from which its format is recognised.
pub const SNIFFED_BYTES: usize = 1100;

/// Extensions of the files that are decoded otherwise, lower case.
const OTHER_EXTENSIONS: [&str; 8] = ["tif", "tiff", "pdf", "jp2", "jpf", "jpx", "j2k", "j2c"];
/// Formats that are not read: bytes, their offset, and the name.
const UNSUPPORTED: [(&[u8], usize, &str); 17] = [
    (b"ftypheic", 4, "HEIC"),
    (b"ftypheix", 4, "HEIC"),
    (b"ftyphevc", 4, "HEIC"),
    (b"ftypheim", 4, "HEIC"),
    (b"ftypmif1", 4, "HEIF"),
    (b"ftypmsf1", 4, "HEIF"),
    (b"ftypavif", 4, "AVIF"),
    (b"ftypavis", 4, "AVIF"),
    (b"\xFF\x0A", 0, "JPEG XL"),
    (b"\0\0\0\x0CJXL \r\n\x87\n", 0, "JPEG XL"),
    (b"8BPS", 0, "Photoshop"),
    (b"%!PS", 0, "PostScript"),
    (b"AT&TFORM", 0, "DjVu"),
    (b"\x97JB2\r\n\x1A\n", 0, "JBIG2"),
    (b"\x76\x2F\x31\x01", 0, "OpenEXR"),
    (b"#?RADIANCE", 0, "Radiance HDR"),
    (b"qoif", 0, "QOI"),
];
/// The first bytes of JPEG 2000: of a file, and of a picture without the boxes of one (ITU-T T.800, I.5.1 and A.4.1).
const JPEG_2000: [&[u8]; 2] = [b"\0\0\0\x0CjP  \r\n\x87\n", b"\xFF\x4F\xFF\x51"];

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FileKind {
    /// One page, decoded by the image crate.
    Single(ImageFormat, Format),
    /// JPEG 2000.
    Jpeg2000,
    /// TIFF.
    Tiff,
    /// PDF.
    Pdf,
    /// An image in a format that is not read, and its name.
    Unsupported(&'static str),
}

impl FileKind {
    /// The format of a file that begins with `bytes`; `None` where it is no image.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let guessed = image::guess_format(bytes).ok();
        if let Some((format, what, _)) = single::FORMATS.iter().find(|(format, ..)| Some(*format) == guessed) {
            return Some(Self::Single(*format, *what));
        }
        if bytes.starts_with(b"II") || bytes.starts_with(b"MM") {
            return Some(Self::Tiff);
        }
        if JPEG_2000.iter().any(|start| bytes.starts_with(start)) {
            return Some(Self::Jpeg2000);
        }
        let is = |(mark, at, _): &&(&[u8], usize, &str)| bytes.get(*at..).is_some_and(|bytes| bytes.starts_with(mark));
        if let Some((_, _, name)) = UNSUPPORTED.iter().find(is) {
            return Some(Self::Unsupported(name));
        }
        if is_netpbm(bytes) {
            return Some(Self::Unsupported("PNM"));
        }
        pdf::is_pdf(bytes).then_some(Self::Pdf)
    }
}

/// Whether bytes are a PBM, PGM or PPM file: a text file may begin with its first two letters.
fn is_netpbm(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'1'..=b'6', space, digit, ..] if space.is_ascii_whitespace() && (digit.is_ascii_digit() || *digit == b'#'))
}

/// Whether bytes are the start of an image, read or not.
pub fn is_image(bytes: &[u8]) -> bool {
    let bytes = without_empty_line(bytes);
    match FileKind::of(bytes) {
        // two letters alone may begin a text
        Some(FileKind::Tiff) => {
            [&b"II\x2A\0"[..], b"MM\0\x2A", b"II\x2B\0", b"MM\0\x2B"].iter().any(|mark| bytes.starts_with(mark))
        }
        Some(FileKind::Single(ImageFormat::Bmp, _)) => bytes.get(6..10) == Some(&[0; 4]),
        kind => kind.is_some(),
    }
}

/// The file without line ends before it: some software transfers a JPEG file as text, and adds them.
pub fn without_empty_line(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(0);
    if bytes[start..].starts_with(&jpeg::START) { &bytes[start..] } else { bytes }
}

/// Whether the name of a file is that of a scan. The format itself is recognised by the first bytes.
pub fn has_scan_extension(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let mut known = single::FORMATS.iter().flat_map(|(_, _, extensions)| *extensions).chain(&OTHER_EXTENSIONS);
    extension.is_some_and(|extension| known.any(|known| *known == extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_recognised_and_texts_are_not() {
        for bytes in [
            &b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..],
            b"\0\0\0\x18ftypavif\0\0\0\0",
            b"GIF89a",
            b"\xFF\x0A\x01",
            b"\0\0\0\x0CjP  \r\n\x87\n",
            b"II\x2A\0\x08\0\0\0",
            b"\r\n\xFF\xD8\xFF\xE0",
            b"%PDF-1.7",
            b"P5 10 10 255\n",
        ] {
            assert!(is_image(bytes), "{bytes:?}");
        }
        for bytes in
            [&b""[..], b"scan,page,form\n", b"IIa", b"MMXX", b"BM is short for", b"P5-report", b"PK\x03\x04", b"{}"]
        {
            assert!(!is_image(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn scan_extension_is_recognised_in_any_case() {
        for name in ["a.tif", "A.TIFF", "b.c.JpG", "x/y.webp", "s.png", "s.bmp", "s.jpeg", "s.gif", "s.JP2"] {
            assert!(has_scan_extension(name), "{name}");
        }
        for name in ["tif", "a.csv", "a.png.txt", "", "a."] {
            assert!(!has_scan_extension(name), "{name}");
        }
    }
}

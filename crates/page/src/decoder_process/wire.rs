//! What passes between a run and a process that decodes for it: a header in JSON, its length before it, and behind it
//! the bytes of a file or the pixels of a page.

use std::io::{self, Read, Write};

use image::GrayImage;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Orientation, Page};
use formread_raster::error::{Error, ErrorKind, Result};

/// Longest header, bytes.
const MAX_HEADER_BYTES: u32 = 1 << 16;

/// What a run asks for.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// To open a file, whose bytes follow.
    File { n_bytes: u64 },
    /// To decode a page of the file that was opened last, 0-based.
    Page { idx: usize },
}

/// What it is told.
#[derive(Debug, Serialize, Deserialize)]
pub enum Response {
    /// The file is open and has so many pages.
    Opened { n_pages: usize },
    /// A page, whose pixels follow.
    Page { size: [u32; 2], stored_size: [u32; 2], dpi: Option<f64>, mirrored: bool, quarter_turns: u8 },
    /// What is wrong with the file or the page.
    Fault(Fault),
}

/// An [`Error`] of a decoder.
#[derive(Debug, Serialize, Deserialize)]
pub enum Fault {
    Format { what: String, detail: String },
    Unsupported { what: String, detail: String },
    Limit { limit: u64, actual: u64, unit: String },
    Internal(String),
}

/// The words that errors of decoders name things by.
const KNOWN: [&str; 12] = [
    "bmp",
    "image",
    "jpeg",
    "pdf",
    "png",
    "tiff",
    "webp",
    "bytes",
    "bytes of memory",
    "bytes unpacked",
    "pages",
    "pixels a page",
];

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Format { what, detail } => Self::Format { what: (*what).to_owned(), detail: detail.clone() },
            ErrorKind::Unsupported { what, detail } => {
                Self::Unsupported { what: (*what).to_owned(), detail: detail.clone() }
            }
            ErrorKind::Limit { limit, actual, unit } => {
                Self::Limit { limit: *limit, actual: *actual, unit: (*unit).to_owned() }
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let known = |word: &str| KNOWN.into_iter().find(|known| *known == word).unwrap_or("image");
        match fault {
            Fault::Format { what, detail } => Self::format(known(&what), detail),
            Fault::Unsupported { what, detail } => Self::unsupported(known(&what), detail),
            Fault::Limit { limit, actual, unit } => ErrorKind::Limit { limit, actual, unit: known(&unit) }.into(),
            Fault::Internal(message) => Self::internal(message),
        }
    }
}

/// Writes a header.
pub fn write_header(sink: &mut impl Write, header: &impl Serialize) -> io::Result<()> {
    let header = serde_json::to_vec(header)?;
    let length = u32::try_from(header.len()).map_err(io::Error::other)?;
    sink.write_all(&length.to_le_bytes())?;
    sink.write_all(&header)
}

/// Reads a header; `None` where the other side has ended.
pub fn read_header<T: DeserializeOwned>(source: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    if source.read(&mut length[..1])? == 0 {
        return Ok(None);
    }
    source.read_exact(&mut length[1..])?;
    let length = u32::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut header = vec![0; length as usize];
    source.read_exact(&mut header)?;
    Ok(Some(serde_json::from_slice(&header)?))
}

/// Writes what became of a page.
pub fn write_page(sink: &mut impl Write, page: &Result<Page>) -> io::Result<()> {
    match page {
        Ok(page) => {
            let Orientation { mirrored, quarter_turns } = page.orientation;
            let (size, stored_size) = (page.pixels.dimensions().into(), page.stored_size);
            write_header(sink, &Response::Page { size, stored_size, dpi: page.dpi, mirrored, quarter_turns })?;
            sink.write_all(page.pixels.as_raw())?;
        }
        Err(error) => write_header(sink, &Response::Fault(error.into()))?,
    }
    sink.flush()
}

/// Reads an answer with the pixels that follow it; `None` where the other side has ended.
pub fn read_response(source: &mut impl Read, max_pixels: u64) -> io::Result<Option<(Response, Vec<u8>)>> {
    let Some(answer) = read_header(source)? else { return Ok(None) };
    let mut pixels = Vec::new();
    if let Response::Page { size: [width, height], .. } = answer {
        let n_pixels = u64::from(width) * u64::from(height);
        if n_pixels > max_pixels {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if source.take(n_pixels).read_to_end(&mut pixels)? as u64 != n_pixels {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Some((answer, pixels)))
}

/// The page that an answer is.
pub fn page_of((answer, pixels): (Response, Vec<u8>)) -> Result<Page> {
    match answer {
        Response::Page { size: [width, height], stored_size, dpi, mirrored, quarter_turns } => {
            let pixels = GrayImage::from_raw(width, height, pixels).ok_or_else(|| Error::internal("too few pixels"))?;
            Ok(Page { pixels, dpi, orientation: Orientation { mirrored, quarter_turns }, stored_size })
        }
        Response::Fault(fault) => Err(fault.into()),
        Response::Opened { .. } => Err(Error::internal("a file was opened where a page was asked for")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_faults_arrive_as_they_were_sent() {
        let pixels = GrayImage::from_fn(7, 3, |x, y| image::Luma([(16 * y + x) as u8]));
        let orientation = Orientation { mirrored: true, quarter_turns: 3 };
        let sent = Page { pixels, dpi: Some(299.9994), orientation, stored_size: [3, 7] };
        let mut bytes = Vec::new();
        write_page(&mut bytes, &Ok(sent.clone())).expect("memory takes all");
        let faults: [Error; 3] = [
            Error::format("tiff", "it breaks off"),
            Error::unsupported("pdf", "encrypted"),
            ErrorKind::Limit { limit: 3, actual: 4, unit: "pixels a page" }.into(),
        ];
        let messages = faults.each_ref().map(|fault| fault.kind().to_string());
        for fault in faults {
            write_page(&mut bytes, &Err(fault)).expect("memory takes all");
        }
        let mut source = &bytes[..];
        let mut next = || read_response(&mut source, 21).expect("it is whole").map(page_of);
        let page = next().expect("it was sent").expect("it is a page");
        assert_eq!((&page.pixels, page.dpi), (&sent.pixels, sent.dpi));
        assert_eq!((page.orientation, page.stored_size), (sent.orientation, sent.stored_size));
        for message in messages {
            assert_eq!(next().expect("it was sent").expect_err("it is a fault").kind().to_string(), message);
        }
        assert!(next().is_none());

        assert!(read_response(&mut &bytes[..], 20).is_err(), "more pixels than there may be");
        for len in 1..bytes.len() {
            let mut cut = &bytes[..len];
            while let Ok(Some(_)) = read_response(&mut cut, 21) {}
        }
    }
}

//! The protocol between a program and the `formread-decode` process that decodes for it.
//!
//! A message is a header in JSON with its length before it (u32, little-endian). The bytes of a file or the pixels of a page
//! follow the header that announces them. Both sides first send a [`Hello`]; then the program sends a [`Request`] at a time,
//! and the process answers each with a [`Response`].

use std::io::{self, Read, Write};

use image::GrayImage;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Orientation, Page};
use formread_raster::error::{Error, ErrorKind, Format, Result, Unit};

/// Version of this protocol. It rises when a message changes its form or its meaning.
const PROTOCOL: u32 = 1;

/// Longest header, bytes.
const MAX_HEADER_BYTES: u32 = 1 << 16;

/// The first message of each side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub protocol: u32,
    /// Version of the program, as in its manifest.
    pub version: String,
}

impl Hello {
    /// The message of this build.
    pub fn own() -> Self {
        Self { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// A request to the process.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// To open a file, whose bytes follow.
    File { n_bytes: u64 },
    /// To decode a page of the file that was opened last, 0-based.
    Page { idx: usize },
}

/// The answer to a request.
#[derive(Debug, Serialize, Deserialize)]
pub enum Response {
    /// The file is open and has this many pages.
    Opened { n_pages: usize },
    /// A page, whose pixels follow.
    Page { size: [u32; 2], stored_size: [u32; 2], dpi: Option<f64>, mirrored: bool, quarter_turns: u8 },
    /// What is wrong with the file or the page.
    Fault(Fault),
}

/// An [`Error`] of a decoder.
#[derive(Debug, Serialize, Deserialize)]
pub enum Fault {
    Format { what: Format, detail: String },
    Unsupported { what: Format, detail: String },
    Limit { limit: u64, actual: u64, unit: Unit },
    Internal(String),
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Format { what, detail } => Self::Format { what: *what, detail: detail.clone() },
            ErrorKind::Unsupported { what, detail } => Self::Unsupported { what: *what, detail: detail.clone() },
            ErrorKind::Limit { limit, actual, unit } => Self::Limit { limit: *limit, actual: *actual, unit: *unit },
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Format { what, detail } => Self::format(what, detail),
            Fault::Unsupported { what, detail } => Self::unsupported(what, detail),
            Fault::Limit { limit, actual, unit } => ErrorKind::Limit { limit, actual, unit }.into(),
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

/// Writes a page, or what is wrong with it.
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

/// Reads a response with the pixels that follow it; `None` where the other side has ended. A page of more than `max_pixels`
/// is an error.
pub fn read_response(source: &mut impl Read, max_pixels: u64) -> io::Result<Option<(Response, Vec<u8>)>> {
    let Some(response) = read_header(source)? else { return Ok(None) };
    let mut pixels = Vec::new();
    if let Response::Page { size: [width, height], .. } = response {
        let n_pixels = u64::from(width) * u64::from(height);
        if n_pixels > max_pixels {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if source.take(n_pixels).read_to_end(&mut pixels)? as u64 != n_pixels {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Some((response, pixels)))
}

/// The page of a response to [`Request::Page`].
pub fn page_of((response, pixels): (Response, Vec<u8>)) -> Result<Page> {
    match response {
        Response::Page { size: [width, height], stored_size, dpi, mirrored, quarter_turns } => {
            let pixels = GrayImage::from_raw(width, height, pixels).ok_or_else(|| Error::internal("too few pixels"))?;
            Ok(Page { pixels, dpi, orientation: Orientation { mirrored, quarter_turns }, stored_size })
        }
        Response::Fault(fault) => Err(fault.into()),
        Response::Opened { .. } => Err(Error::internal("the decoder opened a file where it should decode a page")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_after_round_trip_is_unchanged() {
        let pixels = GrayImage::from_fn(7, 3, |x, y| image::Luma([(16 * y + x) as u8]));
        let orientation = Orientation { mirrored: true, quarter_turns: 3 };
        let sent = Page { pixels, dpi: Some(299.9994), orientation, stored_size: [3, 7] };
        let mut bytes = Vec::new();
        write_page(&mut bytes, &Ok(sent.clone())).expect("memory takes all");
        let faults: [Error; 3] = [
            Error::format(Format::Tiff, "it breaks off"),
            Error::unsupported(Format::Pdf, "encrypted"),
            ErrorKind::Limit { limit: 3, actual: 4, unit: Unit::PixelsPerPage }.into(),
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

        assert!(read_response(&mut &bytes[..], 20).is_err(), "more pixels than the limit");
        for len in 1..bytes.len() {
            let mut cut = &bytes[..len];
            while let Ok(Some(_)) = read_response(&mut cut, 21) {}
        }
    }
}

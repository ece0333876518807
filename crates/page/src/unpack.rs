//! Decompression up to a limit of bytes: deflate, LZW and runs of bytes, as PDF and TIFF have them.

use std::io::{self, Read, Write};

use flate2::bufread::ZlibDecoder;
use weezl::BitOrder;

/// Collects bytes up to a limit.
pub struct BoundedBuffer {
    /// The bytes so far.
    pub bytes: Vec<u8>,
    /// The limit; writing more fails.
    pub max_bytes: u64,
}

impl Write for BoundedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() as u64 > self.max_bytes { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Decodes deflate in the zlib format, with its checksum.
///
/// # Errors
/// `FileTooLarge` over the limit, `UnexpectedEof` where the data breaks off, others where it is not valid.
pub fn inflate(data: &[u8], sink: &mut BoundedBuffer) -> io::Result<()> {
    let max_bytes = sink.max_bytes.saturating_add(1);
    io::copy(&mut ZlibDecoder::new(data).take(max_bytes), sink).map(|_| ())
}

/// Decodes LZW, the most significant bit first. Codes get longer one code early where `switches_early` is set, as in TIFF.
///
/// # Errors
/// As [`inflate`]; `UnexpectedEof` where there is no code of the end.
pub fn unpack_lzw(data: &[u8], switches_early: bool, sink: &mut BoundedBuffer) -> io::Result<()> {
    let mut decoder = if switches_early {
        weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8)
    } else {
        weezl::decode::Decoder::new(BitOrder::Msb, 8)
    };
    let mut buffer = [0; 4096];
    let mut rest = data;
    loop {
        let step = decoder.decode_bytes(rest, &mut buffer);
        rest = &rest[step.consumed_in..];
        sink.write_all(&buffer[..step.consumed_out])?;
        match step.status {
            Ok(weezl::LzwStatus::Done) => return Ok(()),
            Ok(weezl::LzwStatus::NoProgress) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(weezl::LzwStatus::Ok) => {}
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    }
}

/// Decodes runs of bytes, up to the code of the end.
///
/// # Errors
/// As [`inflate`].
pub fn unpack_runs(mut data: &[u8], sink: &mut BoundedBuffer) -> io::Result<()> {
    const END: u8 = 128;
    loop {
        let (&length, rest) = data.split_first().ok_or(io::ErrorKind::UnexpectedEof)?;
        let (given, taken) = match length {
            END => return Ok(()),
            0..END => (usize::from(length) + 1, usize::from(length) + 1),
            _ => (257 - usize::from(length), 1),
        };
        let run = rest.get(..taken).ok_or(io::ErrorKind::UnexpectedEof)?;
        if taken == given {
            sink.write_all(run)?;
        } else {
            sink.write_all(&[run[0]; 128][..given])?;
        }
        data = &rest[taken..];
    }
}

/// Decodes TIFF's PackBits (TIFF 6.0, section 9) up to `n_bytes`; bytes of data after them are an error.
///
/// # Errors
/// As [`inflate`].
pub fn unpack_pack_bits(mut data: &[u8], n_bytes: u64, sink: &mut BoundedBuffer) -> io::Result<()> {
    const NOTHING: u8 = 128;
    while (sink.bytes.len() as u64) < n_bytes {
        let (&length, rest) = data.split_first().ok_or(io::ErrorKind::UnexpectedEof)?;
        data = rest;
        match length {
            NOTHING => {}
            0..NOTHING => {
                let literal = data.split_off(..usize::from(length) + 1).ok_or(io::ErrorKind::UnexpectedEof)?;
                sink.write_all(literal)?;
            }
            _ => {
                let &byte = data.split_off_first().ok_or(io::ErrorKind::UnexpectedEof)?;
                sink.write_all(&[byte; NOTHING as usize][..257 - usize::from(length)])?;
            }
        }
    }
    // some software pads to even lengths
    if data.len() > 1 { Err(io::ErrorKind::InvalidData.into()) } else { Ok(()) }
}

//! Strips and tiles in LZW, deflate and PackBits: whether their data is whole.

use std::borrow::Cow;
use std::io;

use super::super::ifd::{Ifd, tag};
use super::super::unpack::{BoundedBuffer, inflate, unpack_lzw, unpack_pack_bits};
use super::{Chunk, is_reversed};
use formread_raster::error::{Error, Format, Result};

/// Values of the Compression tag.
const LZW: u64 = 5;
const DEFLATE: [u64; 2] = [8, 32_946];
const PACK_BITS: u64 = 32_773;
/// Value of the PhotometricInterpretation tag.
const YCBCR: u64 = 6;

/// Decodes strips and tiles to their end: the tiff crate stops when it has enough bytes, and checks neither what follows nor a
/// checksum.
///
/// # Errors
/// `Format` where they have more or fewer bytes than the page, or are not valid.
pub fn check_chunks(bytes: &[u8], ifd: &Ifd, compression: u64, page_height: u32, chunks: &[Chunk]) -> Result<()> {
    let is_packed = compression == LZW || compression == PACK_BITS || DEFLATE.contains(&compression);
    // colours that are stored at less than full resolution have no such simple size
    if !is_packed || ifd.uint(tag::PHOTOMETRIC) == Some(YCBCR) {
        return Ok(());
    }
    let n_samples =
        if ifd.uint(tag::PLANAR_CONFIGURATION) == Some(2) { 1 } else { ifd.uint(tag::SAMPLES_PER_PIXEL).unwrap_or(1) };
    let pixel_bits = ifd.uint(tag::BITS_PER_SAMPLE).unwrap_or(1).saturating_mul(n_samples);
    let is_tiled = ifd.has(tag::TILE_OFFSETS);
    let is_reversed = is_reversed(ifd);
    let damaged = || Error::format(Format::Tiff, "the data of its picture is damaged");
    for chunk in chunks {
        let n_rows = if is_tiled { chunk.size[1] } else { chunk.size[1].min(page_height - chunk.at[1]) };
        let row_bytes = u64::from(chunk.size[0]).saturating_mul(pixel_bits).div_ceil(8);
        let n_bytes = row_bytes.saturating_mul(n_rows.into());
        // the last strip may be padded to the rows of the others
        let max_bytes = row_bytes.saturating_mul(chunks[0].size[1].into()).max(n_bytes);
        let data = &bytes[chunk.data.clone()];
        let mut turned = Cow::Borrowed(data);
        if is_reversed {
            turned.to_mut().iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
        let mut sink = BoundedBuffer { bytes: Vec::new(), max_bytes };
        let unpacked = match compression {
            LZW => unpack_lzw(&turned, true, &mut sink),
            PACK_BITS => unpack_pack_bits(&turned, n_bytes, &mut sink),
            _ => inflate(&turned, &mut sink),
        };
        let has_size = [n_bytes, max_bytes].contains(&(sink.bytes.len() as u64));
        match unpacked {
            Ok(()) if has_size => {}
            // some software leaves out the code of the end
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && has_size => {}
            Err(_) if !chunk.is_measured && has_size => {}
            _ => return Err(damaged()),
        }
    }
    Ok(())
}

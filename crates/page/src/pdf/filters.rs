//! Decompression of the streams of a PDF file, within limits.
//!
//! ISO 32000-1, 7.4. The hayro crates decode a stream to its end, however large it is, and use what they get from a broken one. So
//! a stream is decoded here first, up to the code of a picture (fax, JPEG, JBIG2, JPEG 2000), which `picture` checks.

use std::borrow::Cow;
use std::io::{self, Write};

use hayro::hayro_syntax::Filter;
use hayro::hayro_syntax::object::{Array, Dict, Object, Stream};

use super::super::unpack::{BoundedBuffer, inflate, unpack_lzw, unpack_runs};
use formread_raster::error::{Error, ErrorKind, Format, Result, Unit};

/// A stream after its general filters.
pub struct UnpackedStream<'a> {
    /// Their output.
    pub data: Cow<'a, [u8]>,
    /// The code of a picture, in which the data still is, and its parameters.
    pub code: Option<(Filter, Dict<'a>)>,
    /// Whether the filters reached the end of their data.
    pub is_whole: bool,
}

/// Decodes a stream by its general filters, the output of each at most `max_bytes`.
///
/// # Errors
/// `Limit` where an output is larger, `Format` where the data is not valid, `Unsupported` where a filter follows the code of a picture.
pub fn unpack<'a>(stream: &Stream<'a>, max_bytes: u64) -> Result<UnpackedStream<'a>> {
    let mut unpacked = UnpackedStream { data: stream.raw_data(), code: None, is_whole: true };
    for (idx, filter) in stream.filters().into_iter().enumerate() {
        let params = params(stream, idx);
        if unpacked.code.is_some() {
            return Err(Error::unsupported(Format::Pdf, "filters after the code of a picture"));
        }
        let mut sink = BoundedBuffer { bytes: Vec::new(), max_bytes };
        let data = &unpacked.data;
        let result = match filter {
            Filter::FlateDecode => inflate(data, &mut sink),
            Filter::LzwDecode => unpack_lzw(data, params.get::<i32>("EarlyChange") != Some(0), &mut sink),
            Filter::RunLengthDecode => unpack_runs(data, &mut sink),
            Filter::Ascii85Decode => unpack_base85(data, &mut sink),
            Filter::AsciiHexDecode => unpack_hex(data, &mut sink),
            Filter::Crypt => continue,
            Filter::CcittFaxDecode | Filter::Jbig2Decode | Filter::DctDecode | Filter::JpxDecode => {
                unpacked.code = Some((filter, params));
                continue;
            }
        };
        match result {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => unpacked.is_whole = false,
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                let kind =
                    ErrorKind::Limit { limit: max_bytes, actual: sink.bytes.len() as u64, unit: Unit::BytesUnpacked };
                return Err(kind.into());
            }
            Err(error) => return Err(Error::format(Format::Pdf, error)),
        }
        unpacked.data = Cow::Owned(sink.bytes);
    }
    Ok(unpacked)
}

/// The parameters of the filter at `idx`.
fn params<'a>(stream: &Stream<'a>, idx: usize) -> Dict<'a> {
    let dict = stream.dict();
    let given = dict.get::<Object<'a>>("DP").or_else(|| dict.get::<Object<'a>>("DecodeParms"));
    let params = match given {
        Some(Object::Dict(params)) if idx == 0 => Some(params),
        Some(Object::Array(all)) => nth_dict(&all, idx),
        _ => None,
    };
    params.unwrap_or_default()
}

fn nth_dict<'a>(all: &Array<'a>, idx: usize) -> Option<Dict<'a>> {
    all.iter::<Object<'a>>().nth(idx)?.into_dict()
}

fn unpack_hex(data: &[u8], sink: &mut BoundedBuffer) -> io::Result<()> {
    let mut half = None;
    for &byte in data.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != 0) {
        let digit = match (byte, char::from(byte).to_digit(16).map(u8::try_from)) {
            (b'>', _) => break,
            (_, Some(Ok(digit))) => digit,
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "no hexadecimal digit")),
        };
        match half.take() {
            None => half = Some(digit),
            Some(upper) => sink.write_all(&[upper << 4 | digit])?,
        }
    }
    half.map_or(Ok(()), |upper| sink.write_all(&[upper << 4]))
}

fn unpack_base85(data: &[u8], sink: &mut BoundedBuffer) -> io::Result<()> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "no ASCII base-85 digit");
    let mut group = [0; 5];
    let mut len = 0;
    let mut put = |group: &[u8; 5], len: usize| -> io::Result<()> {
        // missing digits count as the highest
        let value = group.iter().try_fold(0u32, |value, &digit| value.checked_mul(85)?.checked_add(digit.into()));
        sink.write_all(&value.ok_or_else(invalid)?.to_be_bytes()[..len - 1])
    };
    for &byte in data.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != 0) {
        match byte {
            b'~' => break,
            b'z' if len == 0 => put(&[0; 5], 5)?,
            b'!'..=b'u' => {
                group[len] = byte - b'!';
                len += 1;
                if len == 5 {
                    put(&group, len)?;
                    len = 0;
                }
            }
            _ => return Err(invalid()),
        }
    }
    if len > 1 {
        group[len..].fill(84);
        put(&group, len)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use weezl::BitOrder;

    use super::*;

    type Unpack = fn(&[u8], &mut BoundedBuffer) -> io::Result<()>;

    #[track_caller]
    fn unpacked(unpack: Unpack, data: &[u8], max_bytes: u64) -> Result<Vec<u8>, io::ErrorKind> {
        let mut sink = BoundedBuffer { bytes: Vec::new(), max_bytes };
        unpack(data, &mut sink).map(|()| sink.bytes).map_err(|error| error.kind())
    }

    #[test]
    fn filter_of_every_kind_decodes_within_its_limit_or_fails() {
        let text = b"3 3 3 3 3 3 3 3 3 3 3 3 and so on";
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(text).expect("memory does not run out");
        let zlib = zlib.finish().expect("memory does not run out");
        let lzw =
            weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(text).expect("it can be coded");
        let lzw_late = weezl::encode::Encoder::new(BitOrder::Msb, 8).encode(text).expect("it can be coded");
        let mut runs = vec![text.len() as u8 - 1];
        runs.extend(text);
        runs.push(128);
        let hex: String = text.iter().map(|byte| format!("{byte:02x} ")).collect::<String>() + ">";
        let base85 = br"1E\Ir1E\Ir1E\Ir1E\Ir1E\Ir1E\Ir@;]TuF)N1>D?~>";
        let early: Unpack = |data, sink| unpack_lzw(data, true, sink);
        let late: Unpack = |data, sink| unpack_lzw(data, false, sink);
        let cases: [(Unpack, &[u8]); 6] = [
            (inflate, &zlib),
            (early, &lzw),
            (late, &lzw_late),
            (unpack_runs, &runs),
            (unpack_hex, hex.as_bytes()),
            (unpack_base85, base85),
        ];
        for (idx, (unpack, data)) in cases.into_iter().enumerate() {
            let max_bytes = text.len() as u64;
            assert_eq!(unpacked(unpack, data, max_bytes).as_deref(), Ok(&text[..]), "case {idx}");
            assert_eq!(unpacked(unpack, data, max_bytes - 1), Err(io::ErrorKind::FileTooLarge), "case {idx}");
        }
        for (unpack, data) in &cases[..4] {
            let cut = unpacked(*unpack, &data[..data.len() - 5], 1000);
            assert_eq!(cut, Err(io::ErrorKind::UnexpectedEof));
        }
        assert_eq!(unpacked(inflate, b"no zlib", 1000), Err(io::ErrorKind::InvalidInput));
        assert_eq!(unpacked(unpack_hex, b"4g", 1000), Err(io::ErrorKind::InvalidData));
        assert_eq!(unpacked(unpack_base85, b"uuuuu", 1000), Err(io::ErrorKind::InvalidData), "over 32 bits");
        assert_eq!(unpacked(unpack_runs, &[254, b'a', 128], 1000), Ok(b"aaa".to_vec()));
    }

    #[test]
    fn stream_over_the_limit_is_stopped_early() {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        zlib.write_all(&vec![0; 10_000_000]).expect("memory does not run out");
        let bomb = zlib.finish().expect("memory does not run out");
        assert!(bomb.len() < 11_000);
        let mut sink = BoundedBuffer { bytes: Vec::new(), max_bytes: 100_000 };
        let error = inflate(&bomb, &mut sink).expect_err("it is over the bound");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(sink.bytes.len() < 200_000, "{}", sink.bytes.len());
    }
}

//! The directories of TIFF files and EXIF blocks: tags and their values, not pixels.
//!
//! TIFF 6.0 (Aldus, 1992), section 2; BigTIFF has wider offsets. Directories are read here because the TIFF decoder
//! refuses a whole file when its first directory is broken, and gives no access to tags that it does not decode.

use formread_raster::error::{Error, Format, Result};

/// Most values of a tag that are read. Enough for strips of one row of the tallest page, and for the largest colour map.
const MAX_VALUES: u64 = 1 << 20;

/// The tags that are read, by their names in TIFF.
pub mod tag {
    pub const NEW_SUBFILE_TYPE: u16 = 254;
    pub const SUBFILE_TYPE: u16 = 255;
    pub const IMAGE_WIDTH: u16 = 256;
    pub const IMAGE_LENGTH: u16 = 257;
    pub const BITS_PER_SAMPLE: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const FILL_ORDER: u16 = 266;
    pub const STRIP_OFFSETS: u16 = 273;
    pub const ORIENTATION: u16 = 274;
    pub const SAMPLES_PER_PIXEL: u16 = 277;
    pub const ROWS_PER_STRIP: u16 = 278;
    pub const STRIP_BYTE_COUNTS: u16 = 279;
    pub const X_RESOLUTION: u16 = 282;
    pub const Y_RESOLUTION: u16 = 283;
    pub const PLANAR_CONFIGURATION: u16 = 284;
    pub const T4_OPTIONS: u16 = 292;
    pub const RESOLUTION_UNIT: u16 = 296;
    pub const COLOUR_MAP: u16 = 320;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_LENGTH: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_BYTE_COUNTS: u16 = 325;
    pub const EXTRA_SAMPLES: u16 = 338;
    pub const JPEG_TABLES: u16 = 347;
    pub const OLD_JPEG_OFFSET: u16 = 513;
    pub const OLD_JPEG_LENGTH: u16 = 514;
}

/// A TIFF file's byte order and width of offsets.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    big_tiff: bool,
}

/// One directory.
#[derive(Debug)]
pub struct Ifd<'a> {
    header: Header<'a>,
    entries: Vec<Entry>,
    /// Offset of the directory after this one; `None` after the last.
    pub next: Option<u64>,
    /// Offset of that offset in the file.
    next_at: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// Offset in the file of the value, or of the offset of the values.
    field_at: u64,
}

impl<'a> Header<'a> {
    /// Reads the first bytes of a TIFF file or an EXIF block.
    ///
    /// # Errors
    /// `Format` where they are not those of a TIFF file.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let big_endian = match bytes.get(..2) {
            Some(b"II") => false,
            Some(b"MM") => true,
            _ => return Err(Error::format(Format::Tiff, "no byte order mark")),
        };
        let mut header = Self { bytes, big_endian, big_tiff: false };
        header.big_tiff = match header.uint(2, 2) {
            Some(42) => false,
            Some(43) if header.uint(4, 2) == Some(8) => true,
            _ => return Err(Error::format(Format::Tiff, "neither version 42 nor 43 with 8-byte offsets")),
        };
        Ok(header)
    }

    /// Offset of the first directory.
    ///
    /// # Errors
    /// `Format` where the file ends before it.
    pub fn first(self) -> Result<u64> {
        let (at, n_bytes) = self.first_field();
        self.uint(at as u64, n_bytes).ok_or_else(|| Error::format(Format::Tiff, "ends within its header"))
    }

    /// The patch of the header that makes the directory at `offset` the first one: offset and bytes.
    pub fn first_patch(self, offset: u64) -> (usize, Vec<u8>) {
        let (at, n_bytes) = self.first_field();
        (at, self.encode(offset, n_bytes))
    }

    /// `value` in the file's byte order, `n_bytes` long.
    pub fn encode(self, value: u64, n_bytes: usize) -> Vec<u8> {
        if self.big_endian {
            value.to_be_bytes()[8 - n_bytes..].to_vec()
        } else {
            value.to_le_bytes()[..n_bytes].to_vec()
        }
    }

    fn first_field(self) -> (usize, usize) {
        if self.big_tiff { (8, 8) } else { (4, 4) }
    }

    /// The unsigned number of `n_bytes` (at most 8) at `at`; `None` past the end.
    fn uint(self, at: u64, n_bytes: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let bytes = self.bytes.get(at..at.checked_add(n_bytes)?)?;
        let shift_in = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
        Some(if self.big_endian { bytes.iter().fold(0, shift_in) } else { bytes.iter().rev().fold(0, shift_in) })
    }
}

impl<'a> Ifd<'a> {
    /// Reads the directory at `offset`, without the values of its tags.
    ///
    /// # Errors
    /// `Format` where the file ends before it does.
    pub fn read(header: Header<'a>, offset: u64) -> Result<Self> {
        Self::try_read(header, offset)
            .ok_or_else(|| Error::format(Format::Tiff, format!("the file ends within the directory at byte: {offset}")))
    }

    fn try_read(header: Header<'a>, offset: u64) -> Option<Self> {
        let (count_bytes, entry_bytes, word) = if header.big_tiff { (8, 20, 8) } else { (2, 12, 4) };
        let n_entries = header.uint(offset, count_bytes)?;
        let start = offset.checked_add(count_bytes as u64)?;
        let end = start.checked_add(n_entries.checked_mul(entry_bytes)?)?;
        if end > header.bytes.len() as u64 {
            return None;
        }
        let entry = |at: u64| {
            Some(Entry {
                tag: u16::try_from(header.uint(at, 2)?).ok()?,
                kind: u16::try_from(header.uint(at + 2, 2)?).ok()?,
                count: header.uint(at + 4, word)?,
                field_at: at + 4 + word as u64,
            })
        };
        let entries = (0..n_entries).map(|idx| entry(start + idx * entry_bytes)).collect::<Option<_>>()?;
        let next = header.uint(end, word).filter(|&next| next != 0);
        Some(Self { header, entries, next, next_at: usize::try_from(end).ok()? })
    }

    /// The header of its file.
    pub fn header(&self) -> Header<'a> {
        self.header
    }

    /// Whether there is such a tag.
    pub fn has(&self, tag: u16) -> bool {
        self.entry(tag).is_some()
    }

    /// All values of an unsigned integer tag; `None` where it is absent, of another type, or cut off.
    pub fn uints(&self, tag: u16) -> Option<Vec<u64>> {
        let entry = self.entry(tag)?;
        let n_bytes: usize = match entry.kind {
            1 | 7 => 1,   // BYTE, UNDEFINED
            3 => 2,       // SHORT
            4 | 13 => 4,  // LONG, IFD
            16 | 18 => 8, // LONG8, IFD8
            _ => return None,
        };
        let at = self.values_at(entry, n_bytes as u64)?;
        (0..entry.count).map(|idx| self.header.uint(at + idx * n_bytes as u64, n_bytes)).collect()
    }

    /// The values of a tag of bytes; `None` where it is absent, of another type, or cut off.
    pub fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        let entry = self.entry(tag).filter(|entry| matches!(entry.kind, 1 | 7))?;
        let at = usize::try_from(self.values_at(entry, 1)?).ok()?;
        self.header.bytes.get(at..at.checked_add(usize::try_from(entry.count).ok()?)?)
    }

    /// First value of an unsigned integer tag.
    pub fn uint(&self, tag: u16) -> Option<u64> {
        self.uints(tag)?.first().copied()
    }

    /// First value of a RATIONAL or SINGLE tag, where it is a finite number.
    pub fn number(&self, tag: u16) -> Option<f64> {
        let entry = self.entry(tag)?;
        let value = match entry.kind {
            5 => {
                let at = self.values_at(entry, 8)?;
                self.header.uint(at, 4)? as f64 / self.header.uint(at + 4, 4)? as f64
            }
            11 => f64::from(f32::from_bits(u32::try_from(self.header.uint(self.values_at(entry, 4)?, 4)?).ok()?)),
            _ => return None,
        };
        value.is_finite().then_some(value)
    }

    /// The patch that makes `value` the first value of a SHORT tag: offset and bytes. `None` where the directory has no
    /// such tag.
    pub fn short_patch(&self, tag: u16, value: u16) -> Option<(usize, Vec<u8>)> {
        let entry = self.entry(tag)?;
        let at = usize::try_from(self.values_at(entry, 2)?).ok()?;
        (entry.kind == 3).then(|| (at, self.header.encode(value.into(), 2)))
    }

    /// The patch that makes `value` the only value of a LONG tag: offset and bytes. `None` where the directory has no such tag, or
    /// it has several values.
    pub fn long_patch(&self, tag: u16, value: u32) -> Option<(usize, Vec<u8>)> {
        let entry = self.entry(tag).filter(|entry| entry.kind == 4 && entry.count == 1)?;
        let at = usize::try_from(self.values_at(entry, 4)?).ok()?;
        Some((at, self.header.encode(value.into(), 4)))
    }

    /// The patch that makes this directory the last one: offset and bytes.
    pub fn last_patch(&self) -> (usize, Vec<u8>) {
        (self.next_at, self.header.encode(0, self.header.first_field().1))
    }

    fn entry(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// Offset of the values of an entry: in the entry itself where they fit.
    fn values_at(&self, entry: &Entry, value_bytes: u64) -> Option<u64> {
        if entry.count == 0 || entry.count > MAX_VALUES {
            return None;
        }
        let word: usize = if self.header.big_tiff { 8 } else { 4 };
        let n_bytes = entry.count.checked_mul(value_bytes)?;
        let at = if n_bytes <= word as u64 { entry.field_at } else { self.header.uint(entry.field_at, word)? };
        (at.checked_add(n_bytes)? <= self.header.bytes.len() as u64).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One directory at byte 8: a SHORT pair in place, a RATIONAL at byte 50, a LONG array that points past the end.
    fn file(big_endian: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut put = |value: u64, n: usize| {
            let ordered =
                if big_endian { value.to_be_bytes()[8 - n..].to_vec() } else { value.to_le_bytes()[..n].to_vec() };
            bytes.extend(ordered);
        };
        put(if big_endian { 0x4D4D } else { 0x4949 }, 2);
        put(42, 2);
        put(8, 4);
        put(3, 2);
        for (tag, kind, count) in [(258, 3, 2), (282, 5, 1), (273, 4, 100)] {
            put(tag, 2);
            put(kind, 2);
            put(count, 4);
            if kind == 3 {
                put(7, 2);
                put(9, 2);
            } else {
                put(50, 4);
            }
        }
        put(1234, 4);
        put(1500, 4);
        put(10, 4);
        bytes
    }

    #[test]
    fn tags_in_either_byte_order_are_equal() {
        for big_endian in [false, true] {
            let bytes = file(big_endian);
            let header = Header::read(&bytes).expect("it is a header");
            assert_eq!(header.first().expect("it is there"), 8);
            let ifd = Ifd::read(header, 8).expect("it is a directory");
            assert_eq!(ifd.next, Some(1234));
            assert_eq!(ifd.uints(tag::BITS_PER_SAMPLE), Some(vec![7, 9]));
            assert_eq!(ifd.number(tag::X_RESOLUTION), Some(150.0));
            assert_eq!(ifd.uints(tag::STRIP_OFFSETS), None);
            assert_eq!(ifd.uint(tag::X_RESOLUTION), None);
            let (at, patch) = ifd.short_patch(tag::BITS_PER_SAMPLE, 1).expect("it is a SHORT");
            assert_eq!((at, patch.len()), (18, 2));
        }
    }

    #[test]
    fn directory_truncated_anywhere_gives_an_error_or_no_value() {
        let bytes = file(false);
        for len in 0..bytes.len() {
            let Ok(header) = Header::read(&bytes[..len]) else { continue };
            if let Ok(ifd) = Ifd::read(header, 8) {
                assert!(len >= 46);
                assert_eq!(ifd.number(tag::X_RESOLUTION), None, "{len} bytes");
            }
        }
        let header = Header::read(&bytes).expect("it is a header");
        assert!(Ifd::read(header, u64::MAX).is_err());
    }
}

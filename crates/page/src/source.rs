//! A view of a TIFF file, with changes for the decoder.

use std::io::{Read, Result, Seek, SeekFrom};
use std::ops::Range;

/// Bytes in memory, read with some of them replaced and some with their bits reversed. So the TIFF decoder reads files with features
/// that it does not support (least significant bit first, palettes), or with a broken first directory, and no file is copied.
#[derive(Debug)]
pub struct Source<'a> {
    bytes: &'a [u8],
    position: usize,
    /// Offset, and the bytes that replace those there.
    patches: Vec<(usize, Vec<u8>)>,
    /// Disjoint, ascending.
    reversed: Vec<Range<usize>>,
}

impl<'a> Source<'a> {
    /// `bytes` with each of `patches` written over them at its offset.
    pub fn new(bytes: &'a [u8], patches: Vec<(usize, Vec<u8>)>) -> Self {
        Self { bytes, position: 0, patches, reversed: Vec::new() }
    }

    /// The same with the bits of every byte in `ranges` reversed, once where ranges overlap.
    pub fn with_reversed(mut self, mut ranges: Vec<Range<usize>>) -> Self {
        ranges.sort_by_key(|range| range.start);
        for range in ranges {
            match self.reversed.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => self.reversed.push(range),
            }
        }
        self
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let start = self.position.min(self.bytes.len());
        let end = start.saturating_add(buf.len()).min(self.bytes.len());
        let out = &mut buf[..end - start];
        out.copy_from_slice(&self.bytes[start..end]);
        let first = self.reversed.partition_point(|range| range.end <= start);
        for range in self.reversed[first..].iter().take_while(|range| range.start < end) {
            for byte in &mut out[range.start.max(start) - start..range.end.min(end) - start] {
                *byte = byte.reverse_bits();
            }
        }
        for (offset, replacement) in &self.patches {
            for (at, &byte) in (*offset..).zip(replacement) {
                if (start..end).contains(&at) {
                    out[at - start] = byte;
                }
            }
        }
        self.position = end;
        Ok(end - start)
    }
}

impl Seek for Source<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => i128::from(offset),
            SeekFrom::Current(by) => self.position as i128 + i128::from(by),
            SeekFrom::End(by) => self.bytes.len() as i128 + i128::from(by),
        };
        let invalid = |_| std::io::Error::new(std::io::ErrorKind::InvalidInput, "seek outside of the file");
        self.position = usize::try_from(target).map_err(invalid)?;
        Ok(self.position as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patched_and_reversed_bytes_are_read_at_every_step() {
        let bytes: Vec<u8> = (0..32).collect();
        let mut expected = bytes.clone();
        expected[3..5].copy_from_slice(&[0xAA, 0xBB]);
        expected[10..21].iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        let source =
            || Source::new(&bytes, vec![(3, vec![0xAA, 0xBB])]).with_reversed(vec![15..21, 10..14, 12..16, 18..20]);
        for step in 1..=33 {
            let mut source = source();
            let mut read = Vec::new();
            let mut buf = vec![0; step];
            while let Ok(n @ 1..) = source.read(&mut buf) {
                read.extend_from_slice(&buf[..n]);
            }
            assert_eq!(read, expected, "{step} bytes at a time");
        }
        let mut source = source();
        let mut two = [0; 2];
        source.seek(SeekFrom::Start(4)).expect("it is in the file");
        source.read_exact(&mut two).expect("two bytes are left");
        assert_eq!(two, expected[4..6]);
        assert!(source.seek(SeekFrom::Current(-7)).is_err());
        source.seek(SeekFrom::End(4)).expect("past the end is allowed");
        assert_eq!(source.read(&mut two).expect("nothing is read there"), 0);
    }
}

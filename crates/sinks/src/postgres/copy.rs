//! The text format of `COPY`, in which rows go to PostgreSQL and come back.

use std::borrow::Cow;

use formread_raster::error::{Error, Format, Result};

/// Appends rows of `width` cells.
pub fn encode(cells: &[Option<Cow<'_, str>>], width: usize, to: &mut Vec<u8>) {
    for row in cells.chunks(width) {
        for (i, cell) in row.iter().enumerate() {
            if i > 0 {
                to.push(b'\t');
            }
            let Some(text) = cell else {
                to.extend_from_slice(b"\\N");
                continue;
            };
            for &byte in text.as_bytes() {
                match byte {
                    b'\\' => to.extend_from_slice(b"\\\\"),
                    b'\n' => to.extend_from_slice(b"\\n"),
                    b'\r' => to.extend_from_slice(b"\\r"),
                    b'\t' => to.extend_from_slice(b"\\t"),
                    byte => to.push(byte),
                }
            }
        }
        to.push(b'\n');
    }
}

/// The cells of a row, which is without its line end.
///
/// # Errors
/// `Format` where it is not in this format.
pub fn decode(row: &str) -> Result<Vec<Option<Cow<'_, str>>>> {
    row.split('\t').map(|cell| if cell == "\\N" { Ok(None) } else { unescape(cell).map(Some) }).collect()
}

fn unescape(cell: &str) -> Result<Cow<'_, str>> {
    if !cell.contains('\\') {
        return Ok(Cow::Borrowed(cell));
    }
    let mut text = String::with_capacity(cell.len());
    let mut chars = cell.chars();
    while let Some(char) = chars.next() {
        text.push(match char {
            '\\' => match chars.next() {
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('v') => '\u{b}',
                Some('\\') => '\\',
                _ => return Err(Error::format(Format::Table, "an escape that COPY does not have")),
            },
            char => char,
        });
    }
    Ok(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_of_an_encoded_row_is_that_row() {
        let texts = ["", "\\N", "a\tb\nc\rd\\e", "\u{8}\u{b}\u{c}\u{1}", "é \"'"];
        let cells: Vec<_> = texts.map(|text| Some(Cow::Borrowed(text))).into_iter().chain([None]).collect();
        let mut bytes = Vec::new();
        encode(&cells, 3, &mut bytes);
        let text = String::from_utf8(bytes).expect("it is text");
        let decoded: Vec<_> = text.lines().flat_map(|row| decode(row).expect("it was encoded")).collect();
        assert_eq!(decoded, cells);
        assert!(decode("\\x41").is_err());
    }
}

//! The names in a list of scans, as standard input gives it.

use std::{ffi::OsString, path::PathBuf};

use anyhow::{Context, Result, ensure};

/// Marks of the order of bytes, at the start of a text.
const UTF_8_MARK: &[u8] = b"\xEF\xBB\xBF";
const UTF_16_LE_MARK: &[u8] = b"\xFF\xFE";
const UTF_16_BE_MARK: &[u8] = b"\xFE\xFF";

/// The names in a list: one a line, or separated by NUL as `find -print0` writes it. Then a name may contain a line end. The list may
/// be in UTF-16, as PowerShell writes it.
///
/// # Errors
/// Where it is in UTF-16 and not valid.
pub fn names(list: Vec<u8>) -> Result<Vec<Vec<u8>>> {
    let list = match utf_16_order(&list) {
        Some(unit) => from_utf_16(&list, unit).context("the list on standard input")?.into_bytes(),
        None => list.strip_prefix(UTF_8_MARK).map(<[u8]>::to_vec).unwrap_or(list),
    };
    let separator = if list.contains(&0) { 0 } else { b'\n' };
    let names = list.split(|&byte| byte == separator).map(|name| name.strip_suffix(b"\r").unwrap_or(name));
    Ok(names.filter(|name| !name.trim_ascii().is_empty()).map(<[u8]>::to_vec).collect())
}

/// The path that a name in a list is of.
#[cfg(unix)]
pub fn path_of(name: Vec<u8>) -> Result<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Ok(OsString::from_vec(name).into())
}

/// The path that a name in a list is of.
///
/// # Errors
/// Where it is not UTF-8.
#[cfg(not(unix))]
pub fn path_of(name: Vec<u8>) -> Result<PathBuf> {
    let name = String::from_utf8(name).context("standard input")?;
    Ok(OsString::from(name).into())
}

/// How two bytes of a list in UTF-16 make a unit; `None` where it is not in UTF-16.
fn utf_16_order(list: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    let has_line = |unit: [u8; 2]| list.chunks_exact(2).any(|pair| pair == unit);
    let half_is_zero = |odd: usize| list.iter().skip(odd).step_by(2).all(|byte| *byte == 0);
    if list.starts_with(UTF_16_LE_MARK) || has_line(*b"\n\0") && half_is_zero(1) {
        return Some(u16::from_le_bytes);
    }
    if list.starts_with(UTF_16_BE_MARK) || has_line(*b"\0\n") && half_is_zero(0) {
        return Some(u16::from_be_bytes);
    }
    None
}

fn from_utf_16(list: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String> {
    ensure!(list.len().is_multiple_of(2), "it is in UTF-16 and ends within a character");
    let units: Vec<u16> = list.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).context("it is not valid UTF-16")?;
    Ok(text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_in_every_encoding_has_the_same_names() {
        let text = "a b.tif\r\n\r\nö/2.png\r\n";
        let units = |with_mark: bool| with_mark.then_some('\u{FEFF}').into_iter().chain(text.chars());
        let utf_16 = |with_mark, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            units(with_mark).collect::<String>().encode_utf16().flat_map(bytes).collect()
        };
        let lists = [
            text.as_bytes().to_vec(),
            [UTF_8_MARK, text.as_bytes()].concat(),
            utf_16(true, u16::to_le_bytes),
            utf_16(true, u16::to_be_bytes),
            "a b.tif\0ö/2.png\0".as_bytes().to_vec(),
        ];
        for list in lists {
            assert_eq!(names(list).expect("it is valid"), ["a b.tif".as_bytes(), "ö/2.png".as_bytes()]);
        }
        let without_mark: Vec<u8> = "a.tif\nb.tif\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(names(without_mark).expect("it is valid"), [b"a.tif", b"b.tif"]);
        assert_eq!(names(b"a\nb\0c\0".to_vec()).expect("it is valid"), [&b"a\nb"[..], b"c"]);
        names(b"\xFF\xFEa\0b".to_vec()).expect_err("it ends within a character");
    }
}

//! SHA-256 of contents, which names a scan whatever its path is.

use std::{fmt, io};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use sha2::Digest;

/// A SHA-256 (FIPS 180-4). Displayed and serialised as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256([u8; 32]);

/// SHA-256 of `bytes`, as `sha256sum` computes it of a file.
pub fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256(sha2::Sha256::digest(bytes).into())
}

/// SHA-256 of all that `reader` gives.
///
/// # Errors
/// Where it cannot be read.
pub fn sha256_of(mut reader: impl io::Read) -> io::Result<Sha256> {
    let mut hash = sha2::Sha256::new();
    io::copy(&mut reader, &mut hash)?;
    Ok(Sha256(hash.finalize().into()))
}

/// Shortens a file name to `max_bytes` (at least 17): 16 digits of its SHA-256, then as much of its end as fits. So different names
/// stay different, and the extension is kept. A name that fits is not changed.
pub fn shorten_name(name: String, max_bytes: usize) -> String {
    if name.len() <= max_bytes {
        return name;
    }
    let hash = sha256(name.as_bytes()).to_string();
    let n_cut = name.len() - max_bytes.saturating_sub(17);
    let end = name.char_indices().find(|(at, _)| *at >= n_cut).map_or("", |(at, _)| &name[at..]);
    format!("{}-{end}", &hash[..16])
}

impl Sha256 {
    /// The first 16 bytes. They identify a content too: finding two of equal halves takes some 2^64 trials.
    pub fn half(&self) -> u128 {
        u128::from_be_bytes(std::array::from_fn(|i| self.0[i]))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digit = |c: char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let digits: Option<Vec<u8>> = text.chars().map(digit).collect();
        let digits = digits.and_then(|digits| <[u8; 64]>::try_from(digits).ok());
        let digits = digits.ok_or_else(|| D::Error::custom(format!("not a SHA-256: {text:?}")))?;
        Ok(Self(std::array::from_fn(|i| 16 * digits[2 * i] + digits[2 * i + 1])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_of_the_examples_of_the_standard_is_theirs() {
        // the example of FIPS 180-4, and no bytes
        let names = [&b"abc"[..], b""].map(|bytes| sha256(bytes).to_string());
        assert_eq!(names[0], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(names[1], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn name_over_the_limit_keeps_its_end_and_stays_unique() {
        assert_eq!(shorten_name("a.tif".to_owned(), 20), "a.tif");
        let [one, two] = ["ab", "ba"].map(|start| shorten_name(format!("{start}{}.tif", "\u{e9}".repeat(20)), 28));
        assert!(one.ends_with("-\u{e9}\u{e9}\u{e9}.tif") && one.len() <= 28 && one != two, "{one}, {two}");
    }

    #[test]
    fn sha256_malformed_is_refused_when_parsed() {
        let text = serde_json::to_string(&sha256(b"abc")).expect("it is text");
        assert_eq!(serde_json::from_str::<Sha256>(&text).expect("it was written so"), sha256(b"abc"));
        for bad in ["\"\"", "\"ba78\"", &text.replace('b', "g"), &text.replace('b', "+"), &text.replace("ba", "b")] {
            serde_json::from_str::<Sha256>(bad).expect_err(bad);
        }
    }
}

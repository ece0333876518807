//! Lines of a journal that hashes bind together: before each line is the SHA-256 of itself and of the hash before it. So no
//! line can be changed, left out, moved or repeated without every hash after it being another.

use crate::hash::{Sha256, sha256};

/// Hexadecimal digits of the hash before each line, and the space behind it.
pub const N_HASH_BYTES: usize = 65;

/// The hash before the first line.
pub fn first_hash() -> Sha256 {
    sha256(b"")
}

/// The hash of a line of JSON that follows `before`.
pub fn hash_of(before: Sha256, json: &[u8]) -> Sha256 {
    sha256(&[before.to_string().as_bytes(), json].concat())
}

/// The JSON of a line without its line break, and its hash; `None` where the hash is not that of the line after `before`.
pub fn checked(text: &[u8], before: Sha256) -> Option<(&[u8], Sha256)> {
    let (hash, json) = text.split_at_checked(N_HASH_BYTES)?;
    let right = hash_of(before, json);
    (hash == format!("{right} ").as_bytes()).then_some((json, right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_that_is_changed_or_moved_has_another_hash() {
        let one = format!("{} {{}}", hash_of(first_hash(), b"{}"));
        let (json, hash) = checked(one.as_bytes(), first_hash()).expect("it is bound");
        assert_eq!(json, b"{}");
        assert_eq!(checked(one.as_bytes(), hash), None, "repeated");
        assert_eq!(checked(one.replace("{}", "[]").as_bytes(), first_hash()), None, "changed");
        assert_eq!(checked(b"{}", first_hash()), None);
    }
}

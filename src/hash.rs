//! Names for what was read: equal bytes have equal names, and no two others are known to.

use sha2::{Digest, Sha256};

/// SHA-256 of `bytes`, 64 hexadecimal digits: what `sha256sum` says of a file that holds them.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_standard_says() {
        // FIPS 180-4's own example, and no bytes at all
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}

//! Parses any JSON as the rows of a page, the format of a line of the journal.
#![no_main]

use formread_core::rows::PageRows;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(rows) = serde_json::from_slice::<PageRows>(bytes) {
        let written = serde_json::to_vec(&rows).expect("rows can be written");
        serde_json::from_slice::<PageRows>(&written).expect("written rows can be read");
    }
});

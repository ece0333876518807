//! Any JSON as the rows of a page, as lines of the journal hold them.
#![no_main]

use formread_core::rows::PageRows;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(rows) = serde_json::from_slice::<PageRows>(bytes) {
        let written = serde_json::to_vec(&rows).expect("rows can be written");
        serde_json::from_slice::<PageRows>(&written).expect("and read again");
    }
});

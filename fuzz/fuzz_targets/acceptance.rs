//! Parses any text as acceptance levels.
#![no_main]

use formread_tools::evaluate::Acceptance;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Acceptance::parse(text);
});

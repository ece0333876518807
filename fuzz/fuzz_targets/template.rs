//! Parses any text as a template.
#![no_main]

use formread_core::form::parse_template;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(template) = parse_template(text) {
        assert!(!template.fields.is_empty(), "a template has fields");
    }
});

//! Drafts a template from the form fields of any PDF: an error, nothing, or a valid template.
#![no_main]

use std::sync::Once;

use formread_tools::draft::draft_fillable;
use formread_page::Limits;
use libfuzzer_sys::fuzz_target;

static QUIET: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    // A panic in the PDF reader is caught and becomes an error of the file. A panic that is not caught ends the fuzzer.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let limits = Limits { file_bytes: 1 << 20, page_pixels: 1 << 22, pages: 20, ..Limits::default() };
    if let Ok(Some(draft)) = draft_fillable(bytes, 0, "form", &limits) {
        draft.template().expect("a draft is a valid template");
    }
});

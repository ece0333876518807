//! Any PDF -> the draft of a template by its own fields: an error, none, or one that is a template.
#![no_main]

use std::sync::Once;

use formread_tools::draft::draft_fillable;
use formread_page::Limits;
use libfuzzer_sys::fuzz_target;

static QUIET: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    // A panic of the PDF's reader is caught and is a fault of the file. One that is not caught still ends the fuzzer.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let limits = Limits { file_bytes: 1 << 20, page_pixels: 1 << 22, pages: 20, ..Limits::default() };
    if let Ok(Some(draft)) = draft_fillable(bytes, 0, "form", &limits) {
        draft.template().expect("what is drafted is a template");
    }
});

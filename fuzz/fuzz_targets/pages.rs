//! Decodes the pages of any file. All formats share this target; each has its own corpus.
#![no_main]

use std::sync::Once;

use formread_page::{Limits, open};
use libfuzzer_sys::fuzz_target;

static QUIET: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    // A panic in a decoder is caught and becomes an error of its page. A panic that is not caught ends the fuzzer.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let limits = Limits { file_bytes: 1 << 20, page_pixels: 1 << 22, pages: 20, ..Limits::default() };
    let Ok(pages) = open(bytes, &limits) else { return };
    let n_pages = pages.len();
    let mut n_results = 0;
    for page in pages {
        n_results += 1;
        if let Ok(page) = page {
            assert!(u64::from(page.pixels.width()) * u64::from(page.pixels.height()) <= limits.page_pixels);
        }
    }
    assert_eq!(n_results, n_pages, "one result for each page");
});

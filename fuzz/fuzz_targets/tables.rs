//! Parses any CSV as the ground truth, and as the tables that are compared with it.
#![no_main]

use formread_tools::evaluate::join_tables;
use libfuzzer_sys::fuzz_target;

const OUT: &[u8] = include_bytes!("../seeds/tables/out.csv");
const FIELDS: &[u8] = include_bytes!("../seeds/tables/out.fields.csv");
const TRUTH: &[u8] = include_bytes!("../seeds/tables/truth.csv");

fuzz_target!(|bytes: &[u8]| {
    let _ = join_tables(OUT, FIELDS, bytes);
    let _ = join_tables(bytes, FIELDS, TRUTH);
    let _ = join_tables(OUT, bytes, TRUTH);
});

//! Parses any bytes as weights with the shipped sidecar, and as a sidecar.
#![no_main]

use formread_torch::Weights;
use libfuzzer_sys::fuzz_target;

const SIDECAR: &[u8] = include_bytes!("../../crates/torch/src/shipped/digits.json");

fuzz_target!(|bytes: &[u8]| {
    let _ = Weights::from_bytes(bytes, SIDECAR);
    let _ = Weights::from_bytes(b"", bytes);
});

//! Damaged files, and hostile files that are made to harm a decoder.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use formread::pipeline::{self, RunOptions};
use formread_core::{
    form::known_templates,
    normalise::GlyphBatch,
    reader::Reader,
    recognise::{FnBackend, GlyphClassifier, GlyphsOnly},
    scores::{GlyphScores, N_CLASSES},
};
use formread_page as page;
use formread_page::{Limits, decoder_process::DecoderCommand, scans::find_scans};
use formread_raster::error::{ErrorKind, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Limits of the decoders in these tests.
fn limits() -> Limits {
    Limits { file_bytes: 1 << 20, page_pixels: 1 << 22, pages: 50, ..Limits::default() }
}

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let files = walkdir::WalkDir::new(&folder).sort_by_file_name().into_iter();
    files.map(|entry| entry.expect("the folder can be listed").into_path()).filter(|path| path.is_file()).collect()
}

/// Every file of `fixtures/decode`: all formats, in all variants in which they contain a scan.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let name = |path: &Path| path.file_name().expect("a file has a name").to_string_lossy().into_owned();
    fixtures("decode").iter().map(|path| (name(path), fs::read(path).expect("it is a file"))).collect()
}

/// Damages `bytes`: changes bits, bytes, lengths and digits, removes or doubles pieces, inserts pieces of `other`, or cuts off
/// the end.
fn mutate(rng: &mut ChaCha8Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..rng.random_range(1..4) {
        if bytes.is_empty() {
            return;
        }
        let at = rng.random_range(0..bytes.len());
        let end = (at + rng.random_range(1..64)).min(bytes.len());
        match rng.random_range(0..8) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => bytes[at] = rng.random(),
            2 => {
                let extremes = [0u32, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF, 0x0100_0000];
                let extreme = extremes[rng.random_range(0..extremes.len())];
                let written = if rng.random() { extreme.to_be_bytes() } else { extreme.to_le_bytes() };
                bytes.iter_mut().skip(at).zip(written).for_each(|(byte, new)| *byte = new);
            }
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..end)),
            5 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            6 => {
                let from = rng.random_range(0..other.len());
                let piece = other[from..(from + 64).min(other.len())].to_vec();
                bytes.splice(at..end, piece);
            }
            // A number in text, as in PDF.
            _ => {
                if let Some(digit) = bytes[at..].iter_mut().find(|byte| byte.is_ascii_digit()) {
                    *digit = rng.random_range(b'0'..=b'9');
                }
            }
        }
    }
}

/// Decodes damaged bytes and counts the pages: read, and refused. Checks that each is a page within the limits or an error of the
/// file.
fn decode(bytes: &[u8], name: &str) -> [usize; 2] {
    let limits = limits();
    let pages = match page::open(bytes, &limits) {
        Ok(pages) => pages,
        Err(_) => return [0, 1],
    };
    let n_pages = pages.len();
    let outcomes: Vec<bool> = pages
        .map(|page| match page {
            Ok(page) => {
                let n_pixels = u64::from(page.pixels.width()) * u64::from(page.pixels.height());
                assert!((1..=limits.page_pixels).contains(&n_pixels), "{name}");
                true
            }
            Err(error) => {
                let is_error_of_the_file = matches!(
                    error.kind(),
                    ErrorKind::Format { .. } | ErrorKind::Unsupported { .. } | ErrorKind::Limit { .. }
                );
                assert!(is_error_of_the_file, "{name}: {error}");
                false
            }
        })
        .collect();
    assert_eq!(outcomes.len(), n_pages, "{name}: one result for each page");
    let n_read = outcomes.iter().filter(|is_read| **is_read).count();
    [n_read, n_pages - n_read]
}

/// Decodes `n_files` damaged files and counts their pages: read, and refused.
fn decode_mutated(n_files: usize, seed: u64) -> [usize; 2] {
    let corpus = corpus();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut sum = [0; 2];
    for i in 0..n_files {
        let (name, bytes) = &corpus[i % corpus.len()];
        let (_, other) = &corpus[rng.random_range(0..corpus.len())];
        let mut bytes = bytes.clone();
        mutate(&mut rng, &mut bytes, other);
        let [n_read, n_refused] = decode(&bytes, &format!("{name}, file {i} of seed {seed}"));
        sum = [sum[0] + n_read, sum[1] + n_refused];
    }
    sum
}

#[test]
fn damaged_file_of_any_format_gives_pages_or_reasons() {
    let [n_read, n_refused] = decode_mutated(300, 1);
    // Most damage is detected. Some does not change what is decoded.
    assert!(n_refused > 100 && n_read > 20, "{n_read} read, {n_refused} refused");
}

#[test]
#[ignore = "long: make torture"]
fn torture_20000_damaged_files_give_pages_or_reasons() {
    let [n_read, n_refused] = decode_mutated(20_000, 2);
    assert!(n_refused > 5_000 && n_read > 1_000, "{n_read} read, {n_refused} refused");
}

#[test]
fn hostile_file_gives_pages_or_reasons() {
    for path in fixtures("hostile") {
        let shown = path.to_string_lossy();
        let [n_read, n_refused] = decode(&fs::read(&path).expect("it is a file"), &shown);
        assert!(n_refused > 0 || shown.contains("circles"), "{shown}: {n_read} read");
    }
}

/// Gives all classes of every glyph equal scores.
struct UniformClassifier;

impl GlyphClassifier for UniformClassifier {
    fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
        Ok(vec![GlyphScores { digits: [0.1; 10], classes: [0.2; N_CLASSES] }; batch.n_glyphs])
    }
}

/// The reason for which a run rejects its only page, where the shell script `script` is the decoder.
#[cfg(unix)]
fn reject_reason_with_decoder(script: &str) -> String {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    fs::write(dir.path().join("scan.png"), b"any bytes").expect("it is writable");
    let strip = known_templates().expect("the templates parse").into_iter().filter(|t| t.name == "strip");
    let reader = Reader::builder()
        .templates(strip)
        .backend(FnBackend::new("uniform", || Ok(GlyphsOnly(UniformClassifier))))
        .limits(Limits { page_seconds: 1, ..limits() })
        .build()
        .expect("the reader can be built");
    // The greeting of `formread-decode`: its length in four bytes, then its text.
    let greeting = format!("{{\"protocol\":1,\"version\":\"{}\"}}", env!("CARGO_PKG_VERSION"));
    let decoder = format!("printf '\\{:03o}\\000\\000\\000{greeting}'; {script}", greeting.len());
    let options = RunOptions {
        decoder: Some(DecoderCommand { program: "sh".into(), args: vec!["-c".into(), decoder.into()] }),
        ..RunOptions::new(dir.path().join("out.csv"), NonZeroUsize::MIN)
    };
    let scans = find_scans(dir.path()).expect("the folder exists");
    let summary = pipeline::run(&reader, &scans, &options, |_| {}).expect("no decoder ends a run");
    assert_eq!(summary.n_rejected(), 1, "{script}");
    summary.rejected.into_keys().next().expect("the page is rejected for a reason")
}

#[cfg(unix)]
#[test]
fn decoder_that_loops_crashes_or_exhausts_memory_gives_a_reason() {
    assert_eq!(reject_reason_with_decoder("exec sleep 1000"), "timed-out");
    for script in ["exit 1", "kill -SEGV $$", "echo an answer of no known kind"] {
        assert_eq!(reject_reason_with_decoder(script), "unreadable", "{script}");
    }
    let script = "echo memory allocation of 4096 bytes failed >&2; kill -ABRT $$";
    assert_eq!(reject_reason_with_decoder(script), "too-large");
}

/// Runs the program over `n_files` damaged files. Checks that each has a row, and that each reason is an error of the file.
#[cfg(feature = "torch")]
fn run_over_mutated(n_files: usize, seed: u64) {
    use std::collections::BTreeSet;

    use crate::util::{STRIP, call, talk};

    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let scans = dir.path().join("scans");
    fs::create_dir(&scans).expect("it is writable");
    let corpus = corpus();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for i in 0..n_files {
        let (name, bytes) = &corpus[i % corpus.len()];
        let (_, other) = &corpus[rng.random_range(0..corpus.len())];
        let mut bytes = bytes.clone();
        mutate(&mut rng, &mut bytes, other);
        fs::write(scans.join(format!("{i:05}-{name}")), bytes).expect("it is writable");
    }
    let output = call(dir.path(), &["run", "scans", "out.csv", "--pipeline", STRIP]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", talk(&output));
    let table = fs::read_to_string(dir.path().join("out.csv")).expect("it was written");
    let files: BTreeSet<&str> = table.lines().skip(1).filter_map(|row| row.split(',').next()).collect();
    assert_eq!(files.len(), n_files, "every file has a row");
    for reason in ["internal-error", "timed-out"] {
        assert!(!table.contains(reason), "{reason}: {}", talk(&output));
    }
}

/// A PDF file whose cross-reference stream, deflated twice, inflates to `n_bytes`.
#[cfg(feature = "torch")]
fn pdf_bomb(n_bytes: u64) -> Vec<u8> {
    use std::io::{Read, Write};

    use flate2::{Compression, write::ZlibEncoder};

    let mut inner = ZlibEncoder::new(Vec::new(), Compression::fast());
    std::io::copy(&mut std::io::repeat(0).take(n_bytes), &mut inner).expect("it fits in memory");
    let mut outer = ZlibEncoder::new(Vec::new(), Compression::fast());
    outer.write_all(&inner.finish().expect("it fits in memory")).expect("it fits in memory");
    let data = outer.finish().expect("it fits in memory");
    let mut bytes = b"%PDF-1.5\n".to_vec();
    let filters = "/Filter [/FlateDecode /FlateDecode]";
    let list = format!("<< /Type /XRef /Size 9 /W [1 2 1] /Root 2 0 R {filters} /Length {} >>", data.len());
    bytes.extend(format!("1 0 obj\n{list}\nstream\n").into_bytes());
    bytes.extend(data);
    bytes.extend(b"\nendstream\nendobj\nstartxref\n9\n%%EOF\n");
    bytes
}

#[cfg(all(feature = "torch", target_os = "linux"))]
#[test]
fn file_that_exhausts_memory_affects_no_other_page() {
    use crate::util::{STRIP, call, talk, write_strips};

    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let scans = dir.path().join("scans");
    write_strips(&scans, 0..3);
    let bomb = pdf_bomb(512 << 20);
    assert!(bomb.len() < 200_000, "the file is small: {}", bomb.len());
    fs::write(scans.join("01-bomb.pdf"), bomb).expect("it is writable");
    let output = call(dir.path(), &["run", "scans", "out.csv", "--pipeline", STRIP, "--max-memory-mib", "100"]);
    assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
    let table = fs::read_to_string(dir.path().join("out.csv")).expect("it was written");
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert_eq!(rows.len(), 4, "{table}");
    assert!(rows[1].starts_with("01-bomb.pdf,1,,rejected,too-large,"), "{table}{}", talk(&output));
    assert!(rows.iter().enumerate().all(|(idx, row)| idx == 1 || !row.contains("rejected")), "{table}");
}

#[cfg(feature = "torch")]
#[test]
fn run_over_damaged_files_has_a_row_for_each() {
    run_over_mutated(100, 3);
}

#[cfg(feature = "torch")]
#[test]
#[ignore = "long: make torture"]
fn torture_run_over_2000_damaged_files_has_a_row_for_each() {
    run_over_mutated(2_000, 4);
}

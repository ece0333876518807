//! Files that were damaged, and files that were made to do damage.

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
    scores::GlyphScores,
};
use formread_page as page;
use formread_page::{Limits, decoder_process::DecoderCommand, scans::find_scans};
use formread_raster::error::{ErrorKind, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What decoders may take in these tests.
fn limits() -> Limits {
    Limits { file_bytes: 1 << 20, page_pixels: 1 << 22, pages: 50, ..Limits::default() }
}

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let files = walkdir::WalkDir::new(&folder).sort_by_file_name().into_iter();
    files.map(|entry| entry.expect("it can be listed").into_path()).filter(|path| path.is_file()).collect()
}

/// Every file of `fixtures/decode`: all formats, in all ways in which they hold a scan.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let name = |path: &Path| path.file_name().expect("a file has a name").to_string_lossy().into_owned();
    fixtures("decode").iter().map(|path| (name(path), fs::read(path).expect("it is a file"))).collect()
}

/// Damages `bytes`: bits, lengths, pieces that are lost, doubled or put in from `other`, an end that is missing.
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
            // a number in a text, as PDF has them
            _ => {
                if let Some(digit) = bytes[at..].iter_mut().find(|byte| byte.is_ascii_digit()) {
                    *digit = rng.random_range(b'0'..=b'9');
                }
            }
        }
    }
}

/// Pages of damaged bytes that were read, and that were not. Each is a page within the limits or an error.
fn read(bytes: &[u8], what: &str) -> [usize; 2] {
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
                assert!((1..=limits.page_pixels).contains(&n_pixels), "{what}");
                true
            }
            Err(error) => {
                let is_of_the_page = matches!(
                    error.kind(),
                    ErrorKind::Format { .. } | ErrorKind::Unsupported { .. } | ErrorKind::Limit { .. }
                );
                assert!(is_of_the_page, "{what}: {error}");
                false
            }
        })
        .collect();
    assert_eq!(outcomes.len(), n_pages, "{what}: a result a page");
    let n_read = outcomes.iter().filter(|is_read| **is_read).count();
    [n_read, n_pages - n_read]
}

fn read_mutated(n_files: usize, seed: u64) -> [usize; 2] {
    let corpus = corpus();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut sum = [0; 2];
    for i in 0..n_files {
        let (name, bytes) = &corpus[i % corpus.len()];
        let (_, other) = &corpus[rng.random_range(0..corpus.len())];
        let mut bytes = bytes.clone();
        mutate(&mut rng, &mut bytes, other);
        let [n_read, n_refused] = read(&bytes, &format!("{name}, file {i} of seed {seed}"));
        sum = [sum[0] + n_read, sum[1] + n_refused];
    }
    sum
}

#[test]
fn damaged_files_of_every_format_give_pages_or_reasons() {
    let [n_read, n_refused] = read_mutated(300, 1);
    // most damage is met, some is where it does no harm
    assert!(n_refused > 100 && n_read > 20, "{n_read} read, {n_refused} refused");
}

#[test]
#[ignore = "long: make torture"]
fn torture_by_many_damaged_files_gives_pages_or_reasons() {
    let [n_read, n_refused] = read_mutated(20_000, 2);
    assert!(n_refused > 5_000 && n_read > 1_000, "{n_read} read, {n_refused} refused");
}

#[test]
fn what_was_made_to_do_harm_does_none() {
    for path in fixtures("hostile") {
        let shown = path.to_string_lossy();
        let [n_read, n_refused] = read(&fs::read(&path).expect("it is a file"), &shown);
        assert!(n_refused > 0 || shown.contains("circles"), "{shown}: {n_read} read");
    }
}

/// Says nothing of any glyph.
struct Silent;

impl GlyphClassifier for Silent {
    fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
        Ok(vec![GlyphScores { digits: [0.1; 10], classes: [0.2; 6] }; batch.n_glyphs])
    }
}

/// Why a run rejects its only page, where `script` is the decoder.
#[cfg(unix)]
fn reason_where_the_decoder_is(script: &str) -> String {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    fs::write(dir.path().join("scan.png"), b"whatever").expect("it is writable");
    let strip = known_templates().expect("they parse").into_iter().filter(|t| t.name == "strip");
    let reader = Reader::builder()
        .templates(strip)
        .backend(FnBackend::new("silent", || Ok(GlyphsOnly(Silent))))
        .limits(Limits { page_seconds: 1, ..limits() })
        .build()
        .expect("it can be made");
    // the greeting of `formread-decode`: its length, four bytes, then itself
    let hello = format!("{{\"protocol\":1,\"version\":\"{}\"}}", env!("CARGO_PKG_VERSION"));
    let script_of_decoder = format!("printf '\\{:03o}\\000\\000\\000{hello}'; {script}", hello.len());
    let options = RunOptions {
        decoder: Some(DecoderCommand { program: "sh".into(), args: vec!["-c".into(), script_of_decoder.into()] }),
        ..RunOptions::new(dir.path().join("out.csv"), NonZeroUsize::MIN)
    };
    let scans = find_scans(dir.path()).expect("it is there");
    let summary = pipeline::run(&reader, &scans, &options, |_| {}).expect("no decoder ends a run");
    assert_eq!(summary.n_rejected(), 1, "{script}");
    summary.rejected.into_keys().next().expect("it is rejected for a reason")
}

#[cfg(unix)]
#[test]
fn a_decoder_that_loops_crashes_or_takes_all_memory_is_a_reason() {
    assert_eq!(reason_where_the_decoder_is("exec sleep 1000"), "timed-out");
    for script in ["exit 1", "kill -SEGV $$", "echo an answer of no kind that is known"] {
        assert_eq!(reason_where_the_decoder_is(script), "unreadable", "{script}");
    }
    let script = "echo memory allocation of 4096 bytes failed >&2; kill -ABRT $$";
    assert_eq!(reason_where_the_decoder_is(script), "too-large");
}

/// The program over `n_files` damaged ones: a row for each, and nothing but what is wrong with the files.
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

/// A PDF file whose list of objects, twice deflated, swells to `n_bytes`.
#[cfg(feature = "torch")]
fn pdf_bomb(n_bytes: u64) -> Vec<u8> {
    use std::io::{Read, Write};

    use flate2::{Compression, write::ZlibEncoder};

    let mut inner = ZlibEncoder::new(Vec::new(), Compression::fast());
    std::io::copy(&mut std::io::repeat(0).take(n_bytes), &mut inner).expect("memory takes it");
    let mut outer = ZlibEncoder::new(Vec::new(), Compression::fast());
    outer.write_all(&inner.finish().expect("memory takes it")).expect("memory takes it");
    let data = outer.finish().expect("memory takes it");
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
fn a_file_that_takes_all_memory_costs_no_other_page() {
    use crate::util::{STRIP, call, talk, write_strips};

    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let scans = dir.path().join("scans");
    write_strips(&scans, 0..3);
    let bomb = pdf_bomb(512 << 20);
    assert!(bomb.len() < 200_000, "it is small: {}", bomb.len());
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
fn a_run_over_damaged_files_has_a_row_for_each() {
    run_over_mutated(100, 3);
}

#[cfg(feature = "torch")]
#[test]
#[ignore = "long: make torture"]
fn torture_by_two_thousand_damaged_files_has_a_row_for_each() {
    run_over_mutated(2_000, 4);
}

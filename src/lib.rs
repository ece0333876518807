//! Reads handwritten numbers from scanned forms into a table.
//!
//! ```text
//! bytes ─ decode ─ register ─ segment ─ normalise ─ recognise ─ assemble ─ values
//! ```
//!
//! # Read a file
//!
//! A [`Reader`] is made once from templates and a backend. Then it reads files in memory, on any number of threads.
//! [`Field::value`] is `Some` only for a value that was accepted; [`Field::guess`] is the best reading of a field in any case.
//! `examples/read_one.rs` reads one file with the built-in nets. To read a folder into tables, use [`pipeline::run`], as
//! `examples/batch.rs` does.
//!
//! ```
//! # fn main() -> formread::Result<()> {
//! use formread::{Reader, Result, known_templates};
//! use formread_core::{
//!     normalise::GlyphBatch,
//!     recognise::{FnBackend, GlyphClassifier, GlyphsOnly},
//!     scores::GlyphScores,
//! };
//!
//! /// A replacement for the nets, so that this example runs without LibTorch. Use `TorchBackend::shipped()` instead.
//! struct AlwaysOne;
//!
//! impl GlyphClassifier for AlwaysOne {
//!     fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
//!         let mut digits = [0.0; 10];
//!         digits[1] = 1.0;
//!         Ok(vec![GlyphScores::of_digit(digits); batch.n_glyphs])
//!     }
//! }
//!
//! let strip = known_templates()?.into_iter().filter(|template| template.name == "strip");
//! let reader = Reader::builder().templates(strip).backend(FnBackend::new("always one", || Ok(GlyphsOnly(AlwaysOne)))).build()?;
//!
//! // A picture with two upright strokes.
//! let stroke = |x: u32| (40..46).contains(&x) || (80..86).contains(&x);
//! let picture = image::GrayImage::from_fn(120, 64, |x, y| {
//!     image::Luma([if stroke(x) && (12..52).contains(&y) { 20 } else { 250 }])
//! });
//! let mut png = std::io::Cursor::new(Vec::new());
//! picture.write_to(&mut png, image::ImageFormat::Png).expect("memory does not run out");
//!
//! let pages = reader.read(png.get_ref())?;
//! let field = pages[0].field("digits").expect("the form has it");
//! assert_eq!((pages[0].form.as_deref(), field.guess()), (Some("strip"), Some("11")));
//! # Ok(())
//! # }
//! ```
//!
//! # The crates
//!
//! A crate depends only on crates above it in this table.
//!
//! | crate | contents | may |
//! |---|---|---|
//! | `formread-raster` | errors, geometry, hashes, files, pixels | read and write single files |
//! | `formread-page` | bytes to pages, the decoder process, the list of scans | start processes |
//! | `formread-core` | forms, registration, segmentation, scores, values, the reader | compute, nothing else |
//! | `formread-sinks` | the tables as CSV, in databases and as Parquet | read and write files, connect to a server |
//! | `formread-torch` | the nets | call LibTorch |
//! | `formread-tools` | drafting and checking templates, synthetic forms, scoring and explaining readings | use threads |
//! | `formread-review` | review in a browser: the queue, the rules after each answer, the web server | listen, use threads, read and write files |
//! | `formread-train` | training | call LibTorch, read and write files |
//! | `formread` | [`pipeline`] and the program | print, exit |
//!
//! # Invariants
//!
//! - `formread-core` uses no file, clock, environment, log or thread.
//! - The library does not print, exit, or read the environment.
//! - Only `formread-torch` and `formread-train` use LibTorch.
//! - The tables contain a guess only in the column of guesses, never as a value.
//! - No content of a file and no panic on a page ends a batch: it becomes a row with a reason.
//! - No pixel is white because data is missing: a truncated picture is no page.
//! - The output has the same bytes for any number of threads.
//! - A table gets its name only if it has each page of each file once: [`pipeline`] reads it back and checks.
//! - There is no unsafe code.

/// Identifies this build: the SHA-256 of the sources that it was compiled from, 64 hexadecimal digits.
pub const BUILD_ID: &str = env!("FORMREAD_BUILD");

pub mod pipeline;

pub use formread_sinks as sink;

pub use formread_core::{
    Decimal, Field, Page, Reader, ReaderBuilder, Rejection, Value,
    assemble::{AcceptParams, AcceptTable, FieldState},
    form::{FormTemplate, known_templates, parse_template},
    reader::ReaderIdentity,
    rows::Verdict,
};
pub use formread_page::{
    Limits,
    decoder_process::DecoderCommand,
    scans::{Scan, find_scans, listed_scans},
};
pub use formread_raster::error::{Error, ErrorKind, Result};
#[cfg(feature = "torch")]
pub use formread_torch::{TorchBackend, Weights};

//! Reads hand-filled numbers from scanned forms into a table that can be booked.
//!
//! ```text
//! bytes ─ decode ─ register ─ segment ─ normalise ─ classify ─ assemble ─ records
//!         page     register   segment   normalise   torch      assemble
//! ```
//!
//! # The front door
//!
//! [`Reader`] is made once, of templates and weights, and then reads bytes in memory, from as many threads as
//! one likes:
//!
//! ```
//! # fn main() -> formread_raster::error::Result<()> {
//! use formread::Reader;
//! use formread_core::{
//!     form::known_templates,
//!     normalise::GlyphBatch,
//!     recognise::{FnBackend, GlyphClassifier, GlyphsOnly},
//!     scores::GlyphScores,
//! };
//! use formread_raster::error::Result;
//!
//! /// Stands in for the net, so that this example runs without LibTorch; `formread_torch::TorchBackend::shipped()` is the real one.
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
//! A crate uses those above it in this table, never one below.
//!
//! | crate | holds | may |
//! |---|---|---|
//! | `formread-raster` | errors, geometry, hashes, files, pixels | read and write single files |
//! | `formread-page` | bytes to pages, the decoder process, the list of scans | start processes |
//! | `formread-core` | forms, registration, segmentation, scores, values, the reader | compute, nothing else |
//! | `formread-torch` | the nets | call LibTorch |
//! | `formread-tools` | drafting and checking templates, drawing forms, scoring and explaining readings | use threads |
//! | `formread-train` | training | call LibTorch, read and write files |
//! | `formread` | [`pipeline`], [`sink`], and the program | print, exit |
//!
//! # What is never the case
//!
//! - `formread-core` sees no file, clock, environment, log or thread.
//! - Nothing in the library prints, exits, or reads the environment.
//! - Only `formread-torch` and `formread-train` name LibTorch.
//! - A guess never stands where a value stands: see [`formread_core::rows::PageRows`].
//! - What is in a file never ends a batch, nor does a panic on one page: it is a row and a reason.
//! - No pixel is white because data was missing: a picture that breaks off is no page.
//! - The order of the rows, and every byte of them, does not depend on the number of threads.
//! - No table stands that does not have each page of each file once: [`pipeline`] reads it back and keeps a ledger.
//! - No unsafe code.

/// Identifies this build: the SHA-256 of the sources that it was compiled from, 64 hexadecimal digits.
pub const BUILD_ID: &str = env!("FORMREAD_BUILD");

pub mod pipeline;
pub mod sink;

pub use formread_core::{Decimal, Field, Page, Reader, ReaderBuilder, Value};

//! Reads hand-filled numbers from scanned forms into a table that can be booked.
//!
//! ```text
//! bytes ─ decode ─ register ─ segment ─ normalise ─ classify ─ assemble ─ records
//!         page     register   segment   normalise   net        assemble
//! ```
//!
//! # The front door
//!
//! [`reader::Reader`] is made once, of templates and weights, and then reads bytes in memory, from as many threads as
//! one likes:
//!
//! ```
//! # fn main() -> formread::error::Result<()> {
//! use formread::{
//!     error::Result,
//!     form::known_templates,
//!     net::{Recogniser, GlyphScores},
//!     normalise::GlyphBatch,
//!     reader::Reader,
//!     sink::PageRows,
//! };
//!
//! /// Stands in for the net, so that this example runs without LibTorch; `Reader::shipped()` has the real one.
//! struct AlwaysOne;
//!
//! impl Recogniser for AlwaysOne {
//!     fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
//!         let mut digits = [0.0; 10];
//!         digits[1] = 1.0;
//!         Ok(vec![GlyphScores::of_digit(digits); batch.n_glyphs])
//!     }
//! }
//!
//! let strip = known_templates()?.into_iter().filter(|template| template.name == "strip").collect();
//! let reader = Reader::new(strip, "always one".to_owned(), Box::new(|| Ok(Box::new(AlwaysOne))))?;
//!
//! // A picture with two upright strokes.
//! let stroke = |x: u32| (40..46).contains(&x) || (80..86).contains(&x);
//! let picture = image::GrayImage::from_fn(120, 64, |x, y| {
//!     image::Luma([if stroke(x) && (12..52).contains(&y) { 20 } else { 250 }])
//! });
//! let mut png = std::io::Cursor::new(Vec::new());
//! picture.write_to(&mut png, image::ImageFormat::Png).expect("memory does not run out");
//!
//! let records = reader.read(png.get_ref())?;
//! let rows = PageRows::new("two strokes.png", &records[0]);
//! assert_eq!((rows.form.as_str(), rows.fields[0].guess.as_str()), ("strip", "11"));
//! # Ok(())
//! # }
//! ```
//!
//! # The floors
//!
//! A room uses those on floors below it, never one above; on floor 2 not its neighbours either, but for the types that
//! are handed from stage to stage.
//!
//! | floor | rooms | may |
//! |---|---|---|
//! | 5 | the binary: `main`, `cli`, `options`, `report` | print, exit |
//! | 4 | [`pipeline`], [`train`], [`evaluate`], [`synth`], [`draft`], [`template`] | read and write files, spawn threads |
//! | 3 | [`reader`], [`overlay`], [`explain`], [`net`], [`sink`] | call LibTorch; write the tables |
//! | 2 | [`register`], [`segment`], [`normalise`], [`assemble`] | values in, values out |
//! | 1 | [`form`], [`page`], [`raster`] | the nouns; `raster` does not know what a form is |
//! | 0 | [`error`], [`geometry`], [`hash`] | |
//!
//! # What is never the case
//!
//! - Floors 0 to 2 see no file, clock, environment, log or thread.
//! - Nothing in the library prints, exits, or reads the environment.
//! - Only [`net`] and [`train`] name LibTorch.
//! - A guess never stands where a value stands: see [`sink::PageRows`].
//! - What is in a file never ends a batch, nor does a panic on one page: it is a row and a reason.
//! - No pixel is white because data was missing: a picture that breaks off is no page.
//! - The order of the rows, and every byte of them, does not depend on the number of threads.
//! - No table stands that does not have each page of each file once: [`pipeline`] reads it back and keeps a ledger.
//! - No unsafe code.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod assemble;
pub mod draft;
pub mod error;
pub mod evaluate;
pub mod explain;
pub mod form;
pub mod geometry;
pub mod hash;
pub mod net;
pub mod normalise;
pub mod overlay;
pub mod page;
pub mod pipeline;
pub mod raster;
pub mod reader;
pub mod register;
pub mod segment;
pub mod sink;
pub mod synth;
pub mod template;
pub mod train;

pub use reader::Reader;

//! The integration tests. They are one binary, because each binary would link LibTorch.
//!
//! - `accuracy`: the scans in `fixtures`, read with the shipped weights.
//! - `barcodes`: forms that differ only in their barcode.
//! - `cli`: the command line: exit status, files, standard output and error.
//! - `damage`: damaged files give no value that differs from that of the whole file.
//! - `databases`: the tables in SQLite, PostgreSQL and Parquet, and what kills and refusals leave of them.
//! - `defences`: files and links in the way of a run, edited journals, and pages without end.
//! - `docs`: the documentation: its commands run, and its links, tables and file names are right.
//! - `docs_tables`: the tables of the documentation that are made from sources.
//! - `golden`: readings of the fixtures, compared with golden files; `make golden` renews them.
//! - `inputs`: folders and lists of scans, and outputs that are no files.
//! - `ledger`: every page is accounted for, whatever happens to its file.
//! - `faint_pencil`: numbers in pencil that is little darker than the paper.
//! - `fake`: a reader with a fake classifier in place of the nets.
//! - `faults`: runs that are killed, stopped, refused or out of disk space, and resumed.
//! - `hostile`: damaged files, and files that are made to harm a decoder.
//! - `house_rules`: rules of the source code that the compiler does not check.
//! - `module_cycles`: no two modules of a crate use each other.
//! - `registration`: drawn forms that are turned, cut off, folded or photographed, and pages of no known form.
//! - `review`: answers of a review in the final tables and the databases.
//! - `review_load`: eight people at once, 50 kills, and what people key, in a review.
//! - `review_server`: helper: a server of a review.
//! - `samples`: training data from what people settled in a review.
//! - `real_digits`: glyphs of real handwritten digits; needs data that is not in the repository.
//! - `real_pages`: accuracy on real scans; needs data that is not in the repository.
//! - `no_numbers`: marks that are not numbers are not accepted.
//! - `many_forms`: identification among sixty templates that differ little.
//! - `marks`: tick boxes on a drawn form.
//! - `documents`: documents with rules across pages, on drawn forms.
//! - `scored_glyphs`: which candidate digits are scored.
//! - `several_pages`: documents whose templates are page k of n: complete or not, in any order.
//! - `drafts`: templates drafted from real forms; needs data that is not in the repository.
//! - `numbers`: forms that differ only in their printed number.
//! - `drawn_blanks`: blank forms drawn at random are drafted as they were drawn.
//! - `draft_edits`: what a person must change in a draft before its table is right.
//! - `drawn_states`: draws fields in every state, for `states`.
//! - `states`: fields that are struck out, overwritten or have too many digits get their own reasons.
//! - `signs_in_fields`: signs, letters and other writing that is no number of its field's kind is not booked.
//! - `outside`: writing beside the fields, and print that no template declares.
//! - `properties`: random forms and pages: each written value is read right or needs review.
//! - `templates`: `formread template`, and the schema of templates.
//! - `whole_pages`: forms turned by any angle, several forms on one picture, and mirrored forms.
//! - `util`: helpers: scans to read, and calls of the program.
//!
//! The long tests begin with `torture_`; `make torture` runs them. A test whose data is absent is reported as ignored: see
//! `build.rs`.

#[cfg(feature = "torch")]
mod accuracy;
mod barcodes;
#[cfg(feature = "torch")]
mod cli;
#[cfg(feature = "torch")]
mod damage;
#[cfg(all(feature = "torch", feature = "sqlite", feature = "postgres", feature = "parquet", unix))]
mod databases;
#[cfg(unix)]
mod defences;
#[cfg(feature = "torch")]
mod docs;
#[cfg(feature = "torch")]
mod docs_tables;
mod documents;
mod draft_edits;
mod drafts;
mod drawn_blanks;
#[cfg(feature = "torch")]
mod drawn_states;
#[cfg(feature = "torch")]
mod faint_pencil;
mod fake;
#[cfg(all(feature = "torch", unix))]
mod faults;
mod golden;
mod hostile;
mod house_rules;
#[cfg(feature = "torch")]
mod inputs;
mod ledger;
mod many_forms;
mod marks;
mod module_cycles;
#[cfg(feature = "torch")]
mod no_numbers;
#[cfg(feature = "torch")]
mod numbers;
#[cfg(feature = "torch")]
mod outside;
#[cfg(feature = "torch")]
mod properties;
mod real_digits;
#[cfg(feature = "torch")]
mod real_pages;
mod registration;
#[cfg(all(feature = "torch", feature = "sqlite", feature = "parquet", unix))]
mod review;
#[cfg(all(feature = "torch", target_os = "linux"))]
mod review_load;
#[cfg(all(feature = "torch", unix))]
mod review_server;
#[cfg(feature = "torch")]
mod samples;
#[cfg(feature = "torch")]
mod scored_glyphs;
mod several_pages;
#[cfg(feature = "torch")]
mod signs_in_fields;
#[cfg(feature = "torch")]
mod states;
mod templates;
#[cfg(feature = "torch")]
mod util;
mod whole_pages;

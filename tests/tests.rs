//! The integration tests, one binary, since each would link LibTorch.
//!
//! - `barcodes`: forms that differ in their barcode alone.
//! - `cli`: the command line as a user and a script meet it: exit status, files, what goes to stdout.
//! - `docs`: the documentation: its commands run, its links, tables and file names are right.
//! - `fixtures`: the scans that come with the program, read with the weights it carries.
//! - `golden`: what is read of the fixtures, compared with golden files; `make golden` renews them.
//! - `ledger`: every page is accounted for, whatever happens to its file.
//! - `faults`: runs that are killed, stopped, refused or out of room, and gone on with; the long ones by `make torture`.
//! - `hostile`: files that were damaged, or made to do damage.
//! - `house_rules`: what the source must never do.
//! - `module_cycles`: no two modules of a crate use each other.
//! - `registration`: drawn forms, turned, cut off, crumpled and photographed, and pages that are no form.
//! - `real_digits`: digits that strangers wrote become glyphs; needs data that is not in the repository.
//! - `real_pages`: scans that strangers filled in, read; needs data that is not in the repository.
//! - `no_numbers`: marks that are no numbers are not booked.
//! - `many_forms`: sixty templates that differ little, and pages of each.
//! - `marks`: boxes to be ticked, on a drawn form.
//! - `documents`: several pages that rules tie together, on drawn forms.
//! - `several_pages`: documents whose templates are page k of n: complete or not, whatever the order.
//! - `drafts`: templates drafted from real forms; needs data that is not in the repository.
//! - `numbers`: forms that differ in their printed number alone.
//! - `states`: fields struck out, overwritten, too full: drawn by `drawn_states`, and told apart.
//! - `properties`: forms and pages by chance: what was written comes back, or awaits review.
//! - `templates`: `formread template`, and the schema of templates.
//! - `util`: scans to read, and the program to call.
//!
//! A test that needs data which is not in the repository is reported as ignored where it is absent: see `build.rs`.

mod barcodes;
#[cfg(feature = "torch")]
mod cli;
#[cfg(feature = "torch")]
mod docs;
mod documents;
mod drafts;
#[cfg(feature = "torch")]
mod drawn_states;
#[cfg(all(feature = "torch", unix))]
mod faults;
#[cfg(feature = "torch")]
mod fixtures;
mod golden;
mod hostile;
mod house_rules;
mod ledger;
mod many_forms;
mod marks;
mod module_cycles;
#[cfg(feature = "torch")]
mod no_numbers;
#[cfg(feature = "torch")]
mod numbers;
#[cfg(feature = "torch")]
mod properties;
mod real_digits;
#[cfg(feature = "torch")]
mod real_pages;
mod registration;
mod several_pages;
#[cfg(feature = "torch")]
mod states;
mod templates;
#[cfg(feature = "torch")]
mod util;

//! The integration tests, one binary, since each would link LibTorch.
//!
//! - `cli`: the command line as a user and a script meet it: exit status, files, what goes to stdout.
//! - `fixtures`: the scans that come with the program, read with the weights it carries.
//! - `resume`: runs that are killed, and gone on with.
//! - `house_rules`: what the source must never do.
//! - `registration`: drawn forms, turned, cut off, crumpled and photographed, and pages that are no form.
//! - `util`: scans to read, and the program to call.

#[cfg(feature = "torch")]
mod cli;
#[cfg(feature = "torch")]
mod fixtures;
mod house_rules;
mod registration;
#[cfg(feature = "torch")]
mod resume;
#[cfg(feature = "torch")]
mod util;

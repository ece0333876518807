//! The commands, one module each: read the arguments, call the library, write the result, return the exit status.

pub mod bench;
pub mod calibrate;
pub mod eval;
pub mod explain;
pub mod review;
pub mod run;
pub mod sinks;
pub mod synth;
pub mod template;
pub mod train;

use std::{
    io::{Cursor, ErrorKind, Write, stdout},
    path::Path,
};

use anyhow::{Context, Result};
use formread_raster::{error::Error, fsio::write_atomic, printable_lines};
use image::{EncodableLayout, ImageBuffer, ImageFormat, PixelWithColorType};
use serde::Serialize;

use crate::{cli::OutputArgs, report::say};

/// Everything was done.
pub const SUCCESS: u8 = 0;
/// The batch is finished, but some page could not be read at all.
pub const SOME_REJECTED: u8 = 1;
/// The check is finished and has findings.
pub const SOME_FOUND: u8 = 1;
/// The command could not start or could not finish.
pub const COULD_NOT_RUN: u8 = 2;

/// Writes a result to stdout: a table, or one JSON object.
fn print(result: &(impl Serialize + std::fmt::Display), output: &OutputArgs) -> Result<()> {
    print_text(&if output.json { serde_json::to_string(result)? + "\n" } else { printable_lines(&result.to_string()) })
}

fn print_text(text: &str) -> Result<()> {
    match stdout().lock().write_all(text.as_bytes()) {
        // Broken pipe: the reader closed stdout.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("standard output"),
    }
}

/// Prints the address of a server as the first line of stdout, where programs look for it.
fn say_address(address: &str) {
    // Nobody may read it: then the page is opened by other means.
    let _ = writeln!(stdout(), "{address}").and_then(|()| stdout().flush());
    say("open this address in a browser; stop with Ctrl-C");
}

/// Checks that an output is none of the inputs, by whatever names.
fn check_no_input<'a>(out: &Path, inputs: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    let is_input = |input: &&Path| same_file::is_same_file(out, input).unwrap_or(false);
    match inputs.into_iter().find(is_input) {
        Some(input) => {
            let message = format!("the output is an input: {} is {}", out.display(), input.display());
            Err(Error::usage(message).with_hint("choose another name").into())
        }
        None => Ok(()),
    }
}

/// Writes a picture as PNG.
fn save_png<P>(picture: &ImageBuffer<P, Vec<u8>>, path: &Path) -> Result<()>
where
    P: PixelWithColorType<Subpixel = u8>,
    [u8]: EncodableLayout,
{
    let context = || path.display().to_string();
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).with_context(context)?;
    write_atomic(path, png.get_ref()).with_context(context)
}

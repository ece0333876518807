//! The command line of `formread-decode`, as it is written and as it is read.

use std::{
    env::consts::EXE_SUFFIX,
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::Limits;
use formread_raster::error::{Error, Result};

/// The program that decodes.
const PROGRAM: &str = "formread-decode";

/// How a decoder process is started. It must do what [`super::serve_pages`] does between its standard input and output, and
/// should limit its memory to [`Limits::memory_bytes`].
#[derive(Debug, Clone)]
pub struct DecoderCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

impl DecoderCommand {
    /// The program `formread-decode` at `program`, with flags for `limits`.
    pub fn new(program: PathBuf, limits: &Limits) -> Self {
        // the program that starts it watches the time for a file
        let Limits { file_bytes, page_pixels, pages, memory_bytes, page_seconds, file_seconds: _ } = *limits;
        let values = [file_bytes, page_pixels, pages.into(), memory_bytes, page_seconds.into()];
        let args = FLAGS.iter().zip(values).map(|(flag, value)| OsString::from(format!("{flag}={value}"))).collect();
        Self { program, args }
    }

    /// The program `formread-decode` in the folder of `executable`, which is the caller's own program. A test or an example of
    /// Cargo is one folder below the programs, so the folder above `deps` and `examples` is searched too.
    ///
    /// # Errors
    /// `Usage` where there is no such file.
    pub fn beside(executable: &Path, limits: &Limits) -> Result<Self> {
        let folder = executable.parent().unwrap_or(Path::new(""));
        let is_below = folder.ends_with("deps") || folder.ends_with("examples");
        let above = folder.parent().filter(|_| is_below);
        let file_name = format!("{PROGRAM}{EXE_SUFFIX}");
        let found = [Some(folder), above].into_iter().flatten().map(|folder| folder.join(&file_name));
        let found = found.into_iter().find(|path| path.is_file());
        let program = found.ok_or_else(|| {
            let missing = Error::usage(format!("the program {PROGRAM} is missing in {}", folder.display()));
            missing.with_hint("build it: cargo build --release --workspace --bins; and install it beside formread")
        })?;
        Ok(Self::new(program, limits))
    }
}

/// The flags, in the order of the fields of [`Limits`].
const FLAGS: [&str; 5] =
    ["--max-file-bytes", "--max-page-pixels", "--max-pages", "--max-memory-bytes", "--max-page-seconds"];

/// What the command line of `formread-decode` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecoderArguments {
    /// To decode under these limits.
    Serve(Limits),
    /// To print the version.
    Version,
    /// To print the help.
    Help,
}

impl DecoderArguments {
    /// Text of `--help`.
    pub const HELP: &str = "\
Decodes pages for formread in a process of its own: requests come on standard input, pages go to standard output

Usage: formread-decode [OPTIONS]

Options:
      --max-file-bytes=<N>    Largest file, bytes
      --max-page-pixels=<N>   Most pixels of a page
      --max-pages=<N>         Most pages of a file
      --max-memory-bytes=<N>  Most memory for decoding, bytes
      --max-page-seconds=<N>  Accepted and not used: the program that started this one ends it
  -h, --help                  Print help
  -V, --version               Print version
";

    /// Reads the arguments, without the program's name. A limit that is not given has its default.
    ///
    /// # Errors
    /// `Usage` where one is not known, or is not a number in its range.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self> {
        let mut limits = Limits::default();
        for arg in args {
            let text = arg.to_str().unwrap_or_default();
            let (flag, value) = text.split_once('=').unwrap_or((text, ""));
            let bad_value = || Error::usage(format!("not a value for {flag}: {value:?}"));
            let number = || value.parse::<u64>().map_err(|_| bad_value());
            let small_number = || value.parse::<u32>().map_err(|_| bad_value());
            match flag {
                "-h" | "--help" => return Ok(Self::Help),
                "-V" | "--version" => return Ok(Self::Version),
                "--max-file-bytes" => limits.file_bytes = number()?,
                "--max-page-pixels" => limits.page_pixels = number()?,
                "--max-pages" => limits.pages = small_number()?,
                "--max-memory-bytes" => limits.memory_bytes = number()?,
                "--max-page-seconds" => limits.page_seconds = small_number()?,
                _ => return Err(Error::usage(format!("unknown argument: {}", arg.display()))),
            }
        }
        Ok(Self::Serve(limits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_after_round_trip_are_the_same_limits() {
        let limits =
            Limits { file_bytes: 1, page_pixels: 2, pages: 3, memory_bytes: 4, page_seconds: 5, ..Limits::default() };
        let command = DecoderCommand::new(PROGRAM.into(), &limits);
        let parsed = DecoderArguments::parse(command.args).expect("they are its own flags");
        assert_eq!(parsed, DecoderArguments::Serve(limits));
    }

    #[test]
    fn argument_unknown_or_malformed_is_refused() {
        for arg in ["--max-pages", "--max-pages=x", "--max-pages=-1", "--max-pages=4294967296", "--jobs=1", "file.tif"]
        {
            DecoderArguments::parse([OsString::from(arg)]).expect_err(arg);
        }
        assert_eq!(DecoderArguments::parse(["-V".into()]).expect("it is known"), DecoderArguments::Version);
    }

    #[test]
    fn program_missing_is_an_error_with_a_hint() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let error = DecoderCommand::beside(&dir.path().join("formread"), &Limits::default()).expect_err("it is empty");
        assert!(error.to_string().contains("hint: build it"), "{error}");
        let program = dir.path().join(format!("{PROGRAM}{EXE_SUFFIX}"));
        std::fs::write(&program, b"").expect("the folder is writable");
        for executable in ["formread", "deps/tests", "examples/batch"] {
            let command = DecoderCommand::beside(&dir.path().join(executable), &Limits::default());
            assert_eq!(command.expect("it is there").program, program, "{executable}");
        }
    }
}

//! Decodes pages for formread in a process of its own. It links no LibTorch, so it starts within milliseconds.

use std::{env, io, process::ExitCode};

use formread_page::{
    Limits,
    decoder_process::{DecoderArguments, serve_pages},
};
use formread_raster::error::Result;

/// Exit status after an error, as that of formread.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("formread-decode: {error}");
            ExitCode::from(FAILED)
        }
    }
}

fn run() -> Result<()> {
    match DecoderArguments::parse(env::args_os().skip(1))? {
        DecoderArguments::Serve(limits) => serve(limits),
        DecoderArguments::Version => {
            println!("formread-decode {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        DecoderArguments::Help => {
            print!("{}", DecoderArguments::HELP);
            Ok(())
        }
    }
}

fn serve(limits: Limits) -> Result<()> {
    // a panic is caught and becomes an error of its page; its message would only fill the pipe
    std::panic::set_hook(Box::new(|_| {}));
    #[cfg(unix)]
    formread_page::decoder_process::limit_memory(limits.memory_bytes)?;
    Ok(serve_pages(io::stdin().lock(), io::stdout(), limits)?)
}

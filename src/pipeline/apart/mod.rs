//! Decoding in processes of their own, so that a decoder that loops, crashes or takes all memory harms one page.
//!
//! A thread cannot be stopped and memory that runs out ends its process; so each worker has a process that decodes for
//! it. It is given a file once, and asked for its pages one by one. Past the limit of time it is killed, and so is what it holds; past that of
//! memory it ends by itself. The page gets its reason, and the next one a new process. An idle one costs no time, and a
//! page what it takes to send its pixels through a pipe.

#[cfg(unix)]
mod memory;
mod serve;
mod wire;

use std::{
    ffi::OsString,
    io::{self, BufReader, BufWriter, Read, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use crate::{
    error::{Error, ErrorKind, Result},
    page::{self, Limits, Page},
};
use wire::{Answer, Ask, page_of, read_answer, write_header};

#[cfg(unix)]
pub use memory::limit_memory;
pub use serve::serve_pages;

/// What a process says on stderr when it has no more memory (`std::alloc::handle_alloc_error`).
const OUT_OF_MEMORY: &str = "memory allocation of ";
/// Most of what it says that is looked at, bytes.
const SAID_BYTES: u64 = 4096;

/// How a decoding process is started. It must do what [`serve_pages`] does between its standard input and output, and should hold
/// itself to [`Limits::memory_bytes`].
#[derive(Debug, Clone)]
pub struct DecoderCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// Decodes pages, one at a time: in a process of its own, or, without a command, here.
pub struct Decoder<'a> {
    limits: &'a Limits,
    command: Option<&'a DecoderCommand>,
    process: Option<Process>,
}

impl<'a> Decoder<'a> {
    /// Starts no process yet.
    pub fn new(limits: &'a Limits, command: Option<&'a DecoderCommand>) -> Self {
        Self { limits, command, process: None }
    }

    /// Starts the process, where there is to be one.
    ///
    /// # Errors
    /// `Io` where it cannot be started.
    pub fn start(&mut self) -> Result<()> {
        if let (Some(command), None) = (self.command, &self.process) {
            let start = Process::start(command, self.limits);
            self.process = Some(start.map_err(|error| Error::from(error).in_file(command.program.to_string_lossy()))?);
        }
        Ok(())
    }

    /// Number of pages of a file.
    ///
    /// # Errors
    /// As [`page::open`]; and as [`Decoder::page`].
    pub fn n_pages(&mut self, bytes: &Arc<[u8]>) -> Result<usize> {
        if self.command.is_none() {
            return Ok(page::open(bytes, self.limits)?.len());
        }
        // what was asked of it last may be answered still
        let answer = self.ask(bytes, None)?;
        match answer {
            (Answer::Opened { n_pages }, _) => Ok(n_pages),
            (Answer::Fault(fault), _) => Err(fault.into()),
            (Answer::Page { .. }, _) => Err(Error::internal("a page came where a file was opened")),
        }
    }

    /// Decodes a page of a file, 0-based.
    ///
    /// # Errors
    /// What is wrong with the page; `TimedOut` where it took too long, `Limit` where it took too much memory, `Format`
    /// where the process crashed on it.
    pub fn page(&mut self, bytes: &Arc<[u8]>, idx: usize) -> Result<Page> {
        if self.command.is_none() {
            let no_page = || Err(Error::format("image", "no such page"));
            return page::open(bytes, self.limits)?.nth(idx).unwrap_or_else(no_page);
        }
        let is_held = |process: &Process| process.held.as_ref().is_some_and(|held| Arc::ptr_eq(held, bytes));
        if !self.process.as_ref().is_some_and(is_held) {
            self.n_pages(bytes)?;
        }
        page_of(self.ask(bytes, Some(idx))?)
    }

    /// Asks for a file to be opened, or for a page of it. A process that fails at it is done with.
    fn ask(&mut self, bytes: &Arc<[u8]>, idx: Option<usize>) -> Result<(Answer, Vec<u8>)> {
        self.start().map_err(|error| Error::internal(error.to_string()))?;
        let mut process = self.process.take().expect("it was started, since there is a command");
        let answer = match idx {
            None => process.open(bytes),
            Some(idx) => process.send(&Ask::Page { idx }, &[]),
        };
        match answer.and_then(|()| process.answer(self.limits)) {
            Ok(answer) => {
                self.process = Some(process);
                Ok(answer)
            }
            Err(failure) => Err(process.end(failure, self.limits)),
        }
    }
}

/// Why no answer came.
enum Failure {
    TimedOut,
    /// The pipe broke, or what came through it is no answer.
    Broken,
}

struct Process {
    child: Child,
    asks: BufWriter<ChildStdin>,
    answers: Receiver<Option<(Answer, Vec<u8>)>>,
    /// The file that it has open.
    held: Option<Arc<[u8]>>,
}

impl Process {
    fn start(command: &DecoderCommand, limits: &Limits) -> io::Result<Self> {
        let mut decode = Command::new(&command.program);
        decode.args(&command.args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // what is meant for the run is not meant for it: it ends when the run does
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut decode, 0);
        let mut child = decode.spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (asks, stdout) = stdin.zip(stdout).ok_or(io::ErrorKind::BrokenPipe)?;
        let (sender, answers) = mpsc::channel();
        let most_pixels = limits.page_pixels;
        thread::spawn(move || {
            let mut stdout: BufReader<ChildStdout> = BufReader::new(stdout);
            loop {
                let answer = read_answer(&mut stdout, most_pixels).ok().flatten();
                let is_last = answer.is_none();
                if sender.send(answer).is_err() || is_last {
                    break;
                }
            }
        });
        Ok(Self { child, asks: BufWriter::new(asks), answers, held: None })
    }

    fn send(&mut self, ask: &Ask, bytes: &[u8]) -> Result<(), Failure> {
        let sent = write_header(&mut self.asks, ask).and_then(|()| self.asks.write_all(bytes));
        sent.and_then(|()| self.asks.flush()).map_err(|_| Failure::Broken)
    }

    fn open(&mut self, bytes: &Arc<[u8]>) -> Result<(), Failure> {
        self.held = Some(Arc::clone(bytes));
        self.send(&Ask::File { n_bytes: bytes.len() as u64 }, bytes)
    }

    fn answer(&self, limits: &Limits) -> Result<(Answer, Vec<u8>), Failure> {
        match self.answers.recv_timeout(Duration::from_secs(limits.page_seconds.into())) {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) | Err(RecvTimeoutError::Disconnected) => Err(Failure::Broken),
            Err(RecvTimeoutError::Timeout) => Err(Failure::TimedOut),
        }
    }

    /// Ends it, and says what went wrong.
    fn end(mut self, failure: Failure, limits: &Limits) -> Error {
        let _ = self.child.kill();
        if matches!(failure, Failure::TimedOut) {
            return ErrorKind::TimedOut { limit_s: limits.page_seconds }.into();
        }
        let mut said = Vec::new();
        if let Some(stderr) = self.child.stderr.take() {
            let _ = stderr.take(SAID_BYTES).read_to_end(&mut said);
        }
        let said = String::from_utf8_lossy(&said);
        let wanted = said.split(OUT_OF_MEMORY).nth(1).map(|rest| rest.split(' ').next().unwrap_or_default());
        match wanted {
            Some(wanted) => {
                let (limit, actual) = (limits.memory_bytes, wanted.parse().unwrap_or(0));
                ErrorKind::Limit { limit, actual, unit: "bytes of memory, asked for more" }.into()
            }
            None => Error::format("image", "the decoder crashed on it"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

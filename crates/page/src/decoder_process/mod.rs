//! Decoding in processes of their own, so that a decoder that loops, crashes or takes all memory harms one page.
//!
//! A thread cannot be stopped and memory that runs out ends its process. So there are processes that decode, as many as are
//! busy at once. One is given a file, and asked for its pages one by one. Past the limit of time it is killed, and so is what
//! it holds; past that of memory it ends by itself. The page gets its reason, and the next one a new process. An idle one
//! costs no time, and a page what it takes to send its pixels through a pipe.

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
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use crate as page;
use crate::{Limits, Page};
use formread_raster::error::{Error, ErrorKind, Result};
use wire::{Request, Response, page_of, read_response, write_header};

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

/// Decodes pages for many threads: each in a process that nobody else is using, or, without a command, here.
pub struct DecoderPool<'a> {
    limits: &'a Limits,
    command: Option<&'a DecoderCommand>,
    /// Processes that nobody is using, the one that was used last at the end.
    idle: Mutex<Vec<Process>>,
}

impl<'a> DecoderPool<'a> {
    /// Starts no process yet.
    pub fn new(limits: &'a Limits, command: Option<&'a DecoderCommand>) -> Self {
        Self { limits, command, idle: Mutex::default() }
    }

    /// What is refused.
    pub fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// Starts a process, where there are to be some, so that it is known that it can be.
    ///
    /// # Errors
    /// `Io` where it cannot be started.
    pub fn start(&self) -> Result<()> {
        if let Some(command) = self.command {
            let process = self.new_process(command)?;
            self.idle().push(process);
        }
        Ok(())
    }

    /// Number of pages of a file.
    ///
    /// # Errors
    /// As [`page::open`]; and as [`DecoderPool::page`].
    pub fn n_pages(&self, bytes: &Arc<[u8]>) -> Result<usize> {
        let Some(command) = self.command else { return Ok(page::open(bytes, self.limits)?.len()) };
        let process = self.process_for(bytes, command)?;
        let (process, n_pages) = self.opened(process, bytes)?;
        self.idle().push(process);
        n_pages
    }

    /// Decodes a page of a file, 0-based.
    ///
    /// # Errors
    /// What is wrong with the page; `TimedOut` where it took too long, `Limit` where it took too much memory, `Format`
    /// where the process crashed on it.
    pub fn page(&self, bytes: &Arc<[u8]>, idx: usize) -> Result<Page> {
        let Some(command) = self.command else {
            let no_page = || Err(Error::format("image", "no such page"));
            return page::open(bytes, self.limits)?.nth(idx).unwrap_or_else(no_page);
        };
        let mut process = self.process_for(bytes, command)?;
        if !process.holds(bytes) {
            let n_pages;
            (process, n_pages) = self.opened(process, bytes)?;
            if let Err(error) = n_pages {
                self.idle().push(process);
                return Err(error);
            }
        }
        let (process, answer) = self.ask(process, |process| process.send(&Request::Page { idx }, &[]))?;
        self.idle().push(process);
        page_of(answer)
    }

    /// Has a process open a file: the number of its pages, or what is wrong with it.
    fn opened(&self, process: Process, bytes: &Arc<[u8]>) -> Result<(Process, Result<usize>)> {
        // what was asked of it last may be answered still
        let (process, (answer, _)) = self.ask(process, |process| process.open(bytes))?;
        let n_pages = match answer {
            Response::Opened { n_pages } => Ok(n_pages),
            Response::Fault(fault) => Err(fault.into()),
            Response::Page { .. } => Err(Error::internal("a page came where a file was opened")),
        };
        Ok((process, n_pages))
    }

    /// Asks a process, and waits for its answer. One that fails at it is done with.
    fn ask(
        &self,
        mut process: Process,
        ask: impl FnOnce(&mut Process) -> Result<(), Failure>,
    ) -> Result<(Process, (Response, Vec<u8>))> {
        match ask(&mut process).and_then(|()| process.answer(self.limits)) {
            Ok(answer) => Ok((process, answer)),
            Err(failure) => Err(process.end(failure, self.limits)),
        }
    }

    /// A process that nobody is using: one that has this file open, else the one that was idle longest, else a new one.
    fn process_for(&self, bytes: &Arc<[u8]>, command: &DecoderCommand) -> Result<Process> {
        let taken = {
            let mut idle = self.idle();
            let place = idle.iter().position(|process| process.holds(bytes)).unwrap_or(0);
            (place < idle.len()).then(|| idle.remove(place))
        };
        match taken {
            Some(process) => Ok(process),
            None => self.new_process(command).map_err(|error| Error::internal(error.to_string())),
        }
    }

    fn new_process(&self, command: &DecoderCommand) -> Result<Process> {
        let start = Process::start(command, self.limits);
        start.map_err(|error| Error::from(error).in_file(command.program.to_string_lossy()))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
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
    answers: Receiver<Option<(Response, Vec<u8>)>>,
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
        let max_pixels = limits.page_pixels;
        thread::spawn(move || {
            let mut stdout: BufReader<ChildStdout> = BufReader::new(stdout);
            loop {
                let answer = read_response(&mut stdout, max_pixels).ok().flatten();
                let is_last = answer.is_none();
                if sender.send(answer).is_err() || is_last {
                    break;
                }
            }
        });
        Ok(Self { child, asks: BufWriter::new(asks), answers, held: None })
    }

    fn holds(&self, bytes: &Arc<[u8]>) -> bool {
        self.held.as_ref().is_some_and(|held| Arc::ptr_eq(held, bytes))
    }

    fn send(&mut self, ask: &Request, bytes: &[u8]) -> Result<(), Failure> {
        let sent = write_header(&mut self.asks, ask).and_then(|()| self.asks.write_all(bytes));
        sent.and_then(|()| self.asks.flush()).map_err(|_| Failure::Broken)
    }

    fn open(&mut self, bytes: &Arc<[u8]>) -> Result<(), Failure> {
        self.held = Some(Arc::clone(bytes));
        self.send(&Request::File { n_bytes: bytes.len() as u64 }, bytes)
    }

    fn answer(&self, limits: &Limits) -> Result<(Response, Vec<u8>), Failure> {
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

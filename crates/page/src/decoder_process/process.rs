//! One decoder process, and the threads that serve its pipes.
//!
//! Each pipe has a thread, since a pipe that is full or empty blocks whoever uses it: the child's standard input is
//! written, its output read, and its errors drained without anybody waiting beyond a deadline.

use std::{
    io::{self, BufReader, Read, Write},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    DecoderCommand,
    wire::{Hello, Request, Response, read_header, read_response, write_header},
};
use crate::{Deadline, Limits};
use formread_raster::error::{Error, ErrorKind, Result, Unit};

/// The beginning of what a process writes to stderr when an allocation fails (`std::alloc::handle_alloc_error`).
const OUT_OF_MEMORY: &str = "memory allocation of ";
/// The end of stderr that is kept, bytes.
const STDERR_TAIL_BYTES: usize = 4096;
/// How long a process that does not answer may take to end, and to close its stderr. A process that it started may keep that
/// open for longer.
const END_TIMEOUT: Duration = Duration::from_secs(5);
/// Time between two looks at whether a process has ended.
const END_POLL: Duration = Duration::from_millis(5);

/// Why no response came.
pub enum Failure {
    TimedOut(Error),
    /// The pipe broke, or the message cannot be understood.
    Broken,
}

/// What is written to a process: a header, and the file whose bytes follow it.
type Outgoing = (Vec<u8>, Option<Arc<[u8]>>);

/// What a process sends.
enum Incoming {
    Hello(Hello),
    Response(Response, Vec<u8>),
}

pub struct Process {
    child: Child,
    outgoing: Sender<Outgoing>,
    /// Closed when the process ends, or sends what cannot be understood.
    incoming: Receiver<Incoming>,
    /// The end of what it wrote to stderr, when stderr is closed.
    stderr_tail: Receiver<Vec<u8>>,
    limits: Limits,
    open_file: Option<Arc<[u8]>>,
}

impl Process {
    /// Starts a process and exchanges versions with it.
    ///
    /// # Errors
    /// `Io` where it cannot be started, `Usage` where it is no decoder of this version.
    pub fn start(command: &DecoderCommand, limits: &Limits) -> Result<Self> {
        let program = command.program.to_string_lossy();
        let process =
            Self::spawn(command, limits).map_err(|error| Error::from(error).in_file(program.clone().into_owned()))?;
        let own = Hello::own();
        let received = process.send(&own, None).and_then(|()| process.receive(&limits.page_deadline()));
        let refused = match received {
            Ok(Incoming::Hello(hello)) if hello == own => return Ok(process),
            Ok(Incoming::Hello(Hello { protocol, version })) => format!(
                "the decoder is of another version: {version} (protocol {protocol}), but this program is {} (protocol {})",
                own.version, own.protocol
            ),
            Ok(Incoming::Response(..)) | Err(Failure::Broken) => "it does not answer as a decoder does".to_owned(),
            Err(Failure::TimedOut(error)) => return Err(error.in_file(program)),
        };
        Err(Error::usage(refused).in_file(program).with_hint("install formread-decode from the same build as formread"))
    }

    fn spawn(command: &DecoderCommand, limits: &Limits) -> io::Result<Self> {
        let mut decode = Command::new(&command.program);
        decode.args(&command.args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // a backtrace would push the message of a failed allocation out of the end that is kept
        decode.env("RUST_BACKTRACE", "0");
        // a signal to the run does not reach its decoders: they end when the run does
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut decode, 0);
        let mut child = decode.spawn()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let ((stdin, stdout), stderr) = stdin.zip(stdout).zip(stderr).ok_or(io::ErrorKind::BrokenPipe)?;
        let (outgoing, to_write) = mpsc::channel();
        let (received, incoming) = mpsc::channel();
        let (tail, stderr_tail) = mpsc::channel();
        let max_pixels = limits.page_pixels;
        // each ends when its pipe breaks, or when this process is dropped
        let process = Self { child, outgoing, incoming, stderr_tail, limits: *limits, open_file: None };
        thread::Builder::new().spawn(move || write_all(stdin, &to_write))?;
        thread::Builder::new().spawn(move || read_all(stdout, max_pixels, &received))?;
        thread::Builder::new().spawn(move || tail.send(read_tail(stderr)))?;
        Ok(process)
    }

    pub fn has_open(&self, bytes: &Arc<[u8]>) -> bool {
        self.open_file.as_ref().is_some_and(|open| Arc::ptr_eq(open, bytes))
    }

    /// Sends a file, once: pages are then requested of it.
    pub fn open(&mut self, bytes: &Arc<[u8]>, deadline: &Deadline) -> Result<(Response, Vec<u8>), Failure> {
        self.open_file = Some(Arc::clone(bytes));
        self.send(&Request::File { n_bytes: bytes.len() as u64 }, Some(Arc::clone(bytes)))?;
        self.response(deadline)
    }

    pub fn request(&mut self, request: &Request, deadline: &Deadline) -> Result<(Response, Vec<u8>), Failure> {
        self.send(request, None)?;
        self.response(deadline)
    }

    fn response(&mut self, deadline: &Deadline) -> Result<(Response, Vec<u8>), Failure> {
        match self.receive(deadline)? {
            Incoming::Response(response, pixels) => Ok((response, pixels)),
            Incoming::Hello(_) => Err(Failure::Broken),
        }
    }

    /// Does not wait until it is written: the deadline in `receive` covers that, too.
    fn send(&self, header: &impl serde::Serialize, file: Option<Arc<[u8]>>) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        write_header(&mut bytes, header).map_err(|_| Failure::Broken)?;
        self.outgoing.send((bytes, file)).map_err(|_| Failure::Broken)
    }

    fn receive(&self, deadline: &Deadline) -> Result<Incoming, Failure> {
        self.incoming.recv_timeout(deadline.left()).map_err(|error| match error {
            RecvTimeoutError::Timeout => Failure::TimedOut(deadline.error()),
            RecvTimeoutError::Disconnected => Failure::Broken,
        })
    }

    /// Kills it; the error describes what went wrong.
    pub fn end(mut self, failure: Failure) -> Ended {
        if let Failure::TimedOut(error) = failure {
            return Ended { error, is_crash: false };
        }
        let tail = self.stderr_tail.recv_timeout(END_TIMEOUT).unwrap_or_default();
        let tail = String::from_utf8_lossy(&tail);
        let requested = tail.split(OUT_OF_MEMORY).nth(1).map(|rest| rest.split(' ').next().unwrap_or_default());
        match requested {
            Some(requested) => {
                let (limit, actual) = (self.limits.memory_bytes, requested.parse().unwrap_or(0));
                let error = ErrorKind::Limit { limit, actual, unit: Unit::BytesOfMemoryRequested }.into();
                Ended { error, is_crash: false }
            }
            None => Ended { error: ErrorKind::DecoderEnded(how_it_ended(self.status())).into(), is_crash: true },
        }
    }

    /// How it ended by itself; `None` where it goes on.
    fn status(&mut self) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            let status = self.child.try_wait().ok().flatten();
            if status.is_some() || start.elapsed() >= END_TIMEOUT {
                return status;
            }
            thread::sleep(END_POLL);
        }
    }
}

/// How a process ended that did not answer.
pub struct Ended {
    pub error: Error,
    /// Whether it crashed or was killed from outside: another process may answer.
    pub is_crash: bool,
}

impl Ended {
    /// The fault is the page's, and another process would find it as well.
    pub fn fault(error: Error) -> Self {
        Self { error, is_crash: false }
    }
}

fn how_it_ended(status: Option<ExitStatus>) -> String {
    #[cfg(unix)]
    if let Some(signal) = status.and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status)) {
        return format!("was ended by signal {signal}");
    }
    match status.and_then(|status| status.code()) {
        Some(code) => format!("ended with status {code}"),
        None => "gave no answer that can be understood".to_owned(),
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_all(mut stdin: ChildStdin, to_write: &Receiver<Outgoing>) -> io::Result<()> {
    for (header, file) in to_write {
        stdin.write_all(&header)?;
        if let Some(bytes) = file {
            stdin.write_all(&bytes)?;
        }
    }
    Ok(())
}

fn read_all(stdout: ChildStdout, max_pixels: u64, received: &Sender<Incoming>) {
    let mut stdout = BufReader::new(stdout);
    let Ok(Some(hello)) = read_header(&mut stdout) else { return };
    let mut next = Some(Incoming::Hello(hello));
    while let Some(incoming) = next {
        if received.send(incoming).is_err() {
            return;
        }
        let response = read_response(&mut stdout, max_pixels).ok().flatten();
        next = response.map(|(response, pixels)| Incoming::Response(response, pixels));
    }
}

/// Reads stderr to its end and keeps its last bytes: a process that writes more than a pipe takes is not blocked.
fn read_tail(mut stderr: ChildStderr) -> Vec<u8> {
    let mut tail = Vec::new();
    let mut buffer = [0; STDERR_TAIL_BYTES];
    while let Ok(n @ 1..) = stderr.read(&mut buffer) {
        tail.extend_from_slice(&buffer[..n]);
        tail.drain(..tail.len().saturating_sub(STDERR_TAIL_BYTES));
    }
    tail
}

//! Decoder processes for many threads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    DecoderCommand,
    process::{Ended, Failure, Process},
    wire::{Request, Response, page_of},
};
use crate as page;
use crate::{Deadline, Limits, Page};
use formread_raster::error::{Error, ErrorKind, Format, Result};

/// Decodes pages for many threads: each page in a process that no other thread is using, or, without a command, in this
/// process.
pub struct DecoderPool<'a> {
    limits: &'a Limits,
    command: Option<&'a DecoderCommand>,
    /// Processes that no thread is using, the one that was used last at the end.
    idle: Mutex<Vec<Process>>,
}

/// Tries once more where a process crashed or was killed from outside, which need not be the page's fault.
fn twice<T>(attempt: impl Fn() -> Result<T, Ended>) -> Result<T> {
    let tried = match attempt() {
        Err(Ended { is_crash: true, .. }) => attempt(),
        tried => tried,
    };
    tried.map_err(|Ended { error, is_crash }| match error.kind() {
        ErrorKind::DecoderEnded(how) if is_crash => ErrorKind::DecoderEnded(format!("{how}, in two processes")).into(),
        _ => error,
    })
}

impl<'a> DecoderPool<'a> {
    /// Starts no process yet.
    pub fn new(limits: &'a Limits, command: Option<&'a DecoderCommand>) -> Self {
        Self { limits, command, idle: Mutex::default() }
    }

    /// The limits on files and pages.
    pub fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// Starts a process, so that a command that does not work is found before the first page. Does nothing without a command.
    ///
    /// # Errors
    /// `Io` where it cannot be started, `Usage` where it is no decoder of this version.
    pub fn start(&self) -> Result<()> {
        if let Some(command) = self.command {
            let process = Process::start(command, self.limits)?;
            self.idle().push(process);
        }
        Ok(())
    }

    /// Number of pages of a file, which is counted until `deadline`.
    ///
    /// # Errors
    /// As [`page::open`]; and as [`DecoderPool::page`].
    pub fn n_pages(&self, bytes: &Arc<[u8]>, deadline: &Deadline) -> Result<usize> {
        let Some(command) = self.command else { return Ok(page::open(bytes, self.limits)?.len()) };
        twice(|| {
            let process = self.process_for(bytes, command)?;
            let (process, n_pages) = self.open(process, bytes, deadline)?;
            self.idle().push(process);
            n_pages.map_err(Ended::fault)
        })
    }

    /// Decodes a page of a file, 0-based, until `deadline`.
    ///
    /// # Errors
    /// What is wrong with the page; `TimedOut` where it took too long, `Limit` where it took too much memory, `DecoderEnded`
    /// where two processes crashed or were killed. Without a command, `deadline` is not looked at.
    pub fn page(&self, bytes: &Arc<[u8]>, idx: usize, deadline: &Deadline) -> Result<Page> {
        let Some(command) = self.command else {
            let no_page = || Err(Error::format(Format::Image, "no such page"));
            return page::open(bytes, self.limits)?.nth(idx).unwrap_or_else(no_page);
        };
        twice(|| {
            let mut process = self.process_for(bytes, command)?;
            if !process.has_open(bytes) {
                let n_pages;
                (process, n_pages) = self.open(process, bytes, deadline)?;
                if let Err(error) = n_pages {
                    self.idle().push(process);
                    return Err(Ended::fault(error));
                }
            }
            let (process, response) =
                self.call(process, |process| process.request(&Request::Page { idx }, deadline))?;
            self.idle().push(process);
            page_of(response).map_err(Ended::fault)
        })
    }

    /// Opens a file in a process: the number of its pages, or what is wrong with it.
    fn open(
        &self,
        process: Process,
        bytes: &Arc<[u8]>,
        deadline: &Deadline,
    ) -> Result<(Process, Result<usize>), Ended> {
        let (process, (response, _)) = self.call(process, |process| process.open(bytes, deadline))?;
        let n_pages = match response {
            Response::Opened { n_pages } => Ok(n_pages),
            Response::Fault(fault) => Err(fault.into()),
            Response::Page { .. } => Err(Error::internal("the decoder sent a page where it should open a file")),
        };
        Ok((process, n_pages))
    }

    /// Calls a process. One that fails is ended, and does not come back.
    fn call(
        &self,
        mut process: Process,
        request: impl FnOnce(&mut Process) -> Result<(Response, Vec<u8>), Failure>,
    ) -> Result<(Process, (Response, Vec<u8>)), Ended> {
        match request(&mut process) {
            Ok(response) => Ok((process, response)),
            Err(failure) => Err(process.end(failure)),
        }
    }

    /// A process that no thread is using: the one that has this file open, else the one that was idle longest, else a new
    /// one.
    fn process_for(&self, bytes: &Arc<[u8]>, command: &DecoderCommand) -> Result<Process, Ended> {
        let taken = {
            let mut idle = self.idle();
            let place = idle.iter().position(|process| process.has_open(bytes)).unwrap_or(0);
            (place < idle.len()).then(|| idle.remove(place))
        };
        match taken {
            Some(process) => Ok(process),
            None => {
                let started = Process::start(command, self.limits);
                started.map_err(|error| Ended::fault(Error::internal(error.to_string())))
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Decoder processes for many threads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    DecoderCommand,
    process::{Failure, Process},
    wire::{Request, Response, page_of},
};
use crate as page;
use crate::{Limits, Page};
use formread_raster::error::{Error, Format, Result};

/// Decodes pages for many threads: each page in a process that no other thread is using, or, without a command, in this
/// process.
pub struct DecoderPool<'a> {
    limits: &'a Limits,
    command: Option<&'a DecoderCommand>,
    /// Processes that no thread is using, the one that was used last at the end.
    idle: Mutex<Vec<Process>>,
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

    /// Number of pages of a file.
    ///
    /// # Errors
    /// As [`page::open`]; and as [`DecoderPool::page`].
    pub fn n_pages(&self, bytes: &Arc<[u8]>) -> Result<usize> {
        let Some(command) = self.command else { return Ok(page::open(bytes, self.limits)?.len()) };
        let process = self.process_for(bytes, command)?;
        let (process, n_pages) = self.open(process, bytes)?;
        self.idle().push(process);
        n_pages
    }

    /// Decodes a page of a file, 0-based.
    ///
    /// # Errors
    /// What is wrong with the page; `TimedOut` where it took too long, `Limit` where it took too much memory, `Format`
    /// where the process crashed.
    pub fn page(&self, bytes: &Arc<[u8]>, idx: usize) -> Result<Page> {
        let Some(command) = self.command else {
            let no_page = || Err(Error::format(Format::Image, "no such page"));
            return page::open(bytes, self.limits)?.nth(idx).unwrap_or_else(no_page);
        };
        let mut process = self.process_for(bytes, command)?;
        if !process.has_open(bytes) {
            let n_pages;
            (process, n_pages) = self.open(process, bytes)?;
            if let Err(error) = n_pages {
                self.idle().push(process);
                return Err(error);
            }
        }
        let (process, response) = self.call(process, |process| process.request(&Request::Page { idx }))?;
        self.idle().push(process);
        page_of(response)
    }

    /// Opens a file in a process: the number of its pages, or what is wrong with it.
    fn open(&self, process: Process, bytes: &Arc<[u8]>) -> Result<(Process, Result<usize>)> {
        let (process, (response, _)) = self.call(process, |process| process.open(bytes))?;
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
    ) -> Result<(Process, (Response, Vec<u8>))> {
        match request(&mut process) {
            Ok(response) => Ok((process, response)),
            Err(failure) => Err(process.end(failure)),
        }
    }

    /// A process that no thread is using: the one that has this file open, else the one that was idle longest, else a new
    /// one.
    fn process_for(&self, bytes: &Arc<[u8]>, command: &DecoderCommand) -> Result<Process> {
        let taken = {
            let mut idle = self.idle();
            let place = idle.iter().position(|process| process.has_open(bytes)).unwrap_or(0);
            (place < idle.len()).then(|| idle.remove(place))
        };
        match taken {
            Some(process) => Ok(process),
            None => Process::start(command, self.limits).map_err(|error| Error::internal(error.to_string())),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

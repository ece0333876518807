//! What of a journal can be resumed.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
};

use super::{
    index::{Extent, Index},
    line::Line,
};
use formread_raster::{hash::Sha256, hash_chain::checked};

/// The first line of a journal that does not hold, and why: it and all after it were dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalFault {
    /// Line, from 1.
    pub line: u64,
    /// What is wrong with it, for a person.
    pub why: String,
}

/// What is found in a journal that is resumed.
#[derive(Debug)]
pub struct Recovered<'a> {
    /// The identity under which the last files were read.
    pub identity: Option<Sha256>,
    /// Files that were read under the identity of this run.
    pub index: Index<'a>,
    /// Offset of the end of the last whole file, and the hash of its last line. What follows is incomplete or does not hold.
    pub end: u64,
    pub hash: Sha256,
    /// The first line that does not hold.
    pub fault: Option<JournalFault>,
}

/// The pages of a file that is not finished yet.
struct Unfinished {
    /// Name of the file; empty before its first page.
    scan: String,
    pages: u32,
}

impl Recovered<'_> {
    pub fn read(&mut self, file: &File, wanted: Sha256) -> io::Result<()> {
        let mut reader = BufReader::new(file);
        let (mut here, mut hash, mut text, mut n_lines) = (0u64, self.hash, Vec::new(), 0);
        let mut unfinished = Unfinished { scan: String::new(), pages: 0 };
        loop {
            text.clear();
            let n = reader.read_until(b'\n', &mut text)? as u64;
            if text.pop() != Some(b'\n') {
                return Ok(());
            }
            let line_start = here;
            here += n;
            n_lines += 1;
            let taken = checked(&text, hash)
                .ok_or_else(|| "its hash is not that of the lines up to it".to_owned())
                .and_then(|(json, own)| {
                    hash = own;
                    serde_json::from_slice(json).map_err(|error| error.to_string())
                })
                .and_then(|line| self.take(line, &mut unfinished, line_start, wanted));
            match taken {
                Ok(true) => (self.end, self.hash) = (here, hash),
                Ok(false) => {}
                Err(why) => {
                    self.fault = Some(JournalFault { line: n_lines, why });
                    return Ok(());
                }
            }
        }
    }

    /// Takes a line that begins at `line_start`; `true` where it ends a file or a run begins.
    ///
    /// # Errors
    /// Why it does not hold.
    fn take(
        &mut self,
        line: Line,
        unfinished: &mut Unfinished,
        line_start: u64,
        wanted: Sha256,
    ) -> std::result::Result<bool, String> {
        let is_wanted = self.identity == Some(wanted);
        if self.identity.is_none() && !matches!(line, Line::Run { .. }) {
            return Err("nothing says what read it".to_owned());
        }
        let n_pages = unfinished.pages;
        match line {
            Line::Page(rows, _) => {
                let expected = n_pages + 1;
                if rows.page != expected {
                    return Err(format!("page {} where page {expected} is expected", rows.page));
                }
                if n_pages > 0 && rows.scan != unfinished.scan {
                    return Err("pages of two files are mixed".to_owned());
                }
                if let Some(why) = rows.contradiction() {
                    return Err(why.to_owned());
                }
                *unfinished = Unfinished { scan: rows.scan, pages: expected };
                return Ok(false);
            }
            Line::Run { .. } | Line::Copy(_) if n_pages > 0 => return Err("a file is not finished".to_owned()),
            Line::Run { identity } => self.identity = Some(identity),
            Line::Done(file, n) => {
                if n != n_pages || n == 0 || file.scan != unfinished.scan {
                    return Err(format!("{n} pages of {}, but {n_pages} were written", file.scan));
                }
                let bytes = line_start - self.end;
                if is_wanted {
                    let extent = Extent { before: self.hash, offset: self.end, bytes, pages: n };
                    self.index.done(&file, extent);
                }
            }
            Line::Copy(file) => {
                if is_wanted && !self.index.copy(&file) {
                    return Err("a copy of nothing".to_owned());
                }
            }
        }
        *unfinished = Unfinished { scan: String::new(), pages: 0 };
        Ok(true)
    }
}

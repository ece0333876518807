//! Pages -> rows: the one place where all pages of a file are together.

use super::{
    batch::{Outcome, unless_it_panics},
    journal::Stamp,
    walk::Scan,
};
use crate::{
    assemble::{PageReading, PageRecord},
    error::Result,
    reader::{Reader, rejected},
    sink::PageRows,
};

/// What is written down, in the order of the input.
pub enum Delivery<'a> {
    /// A page. `detail`: for a person, what was met where it was rejected.
    Page { rows: PageRows, detail: String },
    /// All pages of the file were delivered. `sha256`: as in [`Outcome::FileEnd`].
    FileEnd { scan: &'a Scan, stamp: Option<Stamp>, sha256: String },
}

/// Holds the pages of a file until it ends, where rules tie pages together; where none do, each page is let go at
/// once. The records of one file are all that it holds, and [`crate::page::Limits`] bound their number.
pub struct Documents<'a> {
    reader: &'a Reader,
    held: Vec<PageRecord>,
}

impl<'a> Documents<'a> {
    pub fn new(reader: &'a Reader) -> Self {
        Self { reader, held: Vec::new() }
    }

    /// Takes what the workers hand in, in order, and delivers what nothing more can change.
    ///
    /// # Errors
    /// Where the run cannot go on, or `deliver` fails.
    pub fn take<'s>(
        &mut self,
        outcome: Outcome<'s>,
        deliver: &mut impl FnMut(Delivery<'s>) -> Result<()>,
    ) -> Result<()> {
        match outcome {
            Outcome::Page { scan, record } => {
                self.held.push(record);
                if self.reader.ties_pages() { Ok(()) } else { self.let_go(scan, deliver) }
            }
            Outcome::FileEnd { scan, stamp, sha256 } => {
                self.reconcile();
                self.let_go(scan, deliver)?;
                deliver(Delivery::FileEnd { scan, stamp, sha256 })
            }
            Outcome::Fault(error) => Err(error),
        }
    }

    /// Holds the pages to the rules across them. Where the program fails on that, it has failed on every page of the
    /// file.
    fn reconcile(&mut self) {
        let Self { reader, held } = self;
        let reconcile = || {
            reader.reconcile(held);
            Ok(())
        };
        if let Err(error) = unless_it_panics(reconcile) {
            held.iter_mut().for_each(|record| *record = rejected(record.page, &error));
        }
    }

    fn let_go<'s>(&mut self, scan: &Scan, deliver: &mut impl FnMut(Delivery<'s>) -> Result<()>) -> Result<()> {
        self.held.drain(..).try_for_each(|record| {
            let rows = PageRows::new(&scan.name, &record);
            let detail = match record.reading {
                PageReading::Rejected { detail, .. } => detail,
                PageReading::Read { .. } => String::new(),
            };
            deliver(Delivery::Page { rows, detail })
        })
    }
}

//! Pages -> rows: the one place where all pages of a file are together.

use super::{batch::unless_it_panics, journal::FileId, outcome::Outcome};
use formread_core::{
    assemble::{PageReading, PageRecord},
    reader::{Reader, rejected},
    rows::PageRows,
};
use formread_raster::error::Result;

/// What is written down, in the order of the input.
pub enum Delivery {
    /// A page. `detail`: for a person, what was met where it was rejected.
    Page { rows: PageRows, detail: String },
    /// All pages of the file were delivered, so many.
    FileEnd { file: FileId, pages: u32 },
    /// As [`Outcome::Copy`].
    Copy(FileId),
    /// As [`Outcome::Left`].
    Left { scan: String },
}

/// Holds the pages of a file until it ends, where rules tie pages together; where none do, each page is let go at
/// once. The records of one file are all that it holds, and [`formread_page::Limits`] bound their number.
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
    pub fn take(&mut self, outcome: Outcome<'_>, deliver: &mut impl FnMut(Delivery) -> Result<()>) -> Result<()> {
        match outcome {
            Outcome::Page { scan, record } => {
                self.held.push(record);
                if self.reader.ties_pages() { Ok(()) } else { self.let_go(&scan.name, deliver) }
            }
            Outcome::FileEnd { file, pages } => {
                self.reconcile();
                self.let_go(&file.scan, deliver)?;
                deliver(Delivery::FileEnd { file, pages })
            }
            Outcome::Copy(file) => deliver(Delivery::Copy(file)),
            Outcome::Left { scan } => deliver(Delivery::Left { scan }),
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

    fn let_go(&mut self, scan: &str, deliver: &mut impl FnMut(Delivery) -> Result<()>) -> Result<()> {
        self.held.drain(..).try_for_each(|record| {
            let rows = PageRows::new(scan, &record);
            let detail = match record.reading {
                PageReading::Rejected { detail, .. } => detail,
                PageReading::Read { .. } => String::new(),
            };
            deliver(Delivery::Page { rows, detail })
        })
    }
}

//! Applies rules across pages: the one place where all pages of a file are together.

use super::{catch_panic::catch_panic, outcome::Outcome};
use formread_core::{
    assemble::PageRecord,
    reader::{Reader, rejected},
};
use formread_page::scans::Scan;
use formread_raster::error::Result;

/// Collects the pages of a file until it ends, where rules tie pages together; where none do, each page passes at once.
/// It keeps the records of one file, whose number [`formread_page::Limits`] bound.
pub struct Documents<'a> {
    reader: &'a Reader,
    pages: Vec<(&'a Scan, PageRecord)>,
}

impl<'a> Documents<'a> {
    pub fn new(reader: &'a Reader) -> Self {
        Self { reader, pages: Vec::new() }
    }

    /// Takes the next outcome in the order of the input, and delivers the outcomes that are final.
    ///
    /// # Errors
    /// Where `deliver` fails.
    pub fn take(&mut self, outcome: Outcome<'a>, deliver: &mut impl FnMut(Outcome<'a>) -> Result<()>) -> Result<()> {
        match outcome {
            Outcome::Page { scan, record } if self.reader.has_cross_page_rules() => self.pages.push((scan, record)),
            Outcome::FileEnd { .. } => {
                self.reconcile();
                let pages = self.pages.drain(..).map(|(scan, record)| Outcome::Page { scan, record });
                pages.chain([outcome]).try_for_each(deliver)?;
            }
            _ => deliver(outcome)?,
        }
        Ok(())
    }

    /// Applies the rules across pages. A panic in them rejects every page of the file.
    fn reconcile(&mut self) {
        let (scans, mut records): (Vec<_>, Vec<_>) = self.pages.drain(..).unzip();
        let reconciled = catch_panic(|| {
            self.reader.reconcile(&mut records);
            Ok(())
        });
        if let Err(error) = reconciled {
            records.iter_mut().for_each(|record| *record = rejected(record.page, &error));
        }
        self.pages.extend(scans.into_iter().zip(records));
    }
}

//! Applies rules across pages: the one place where all pages of a file are together.

use super::{
    catch_panic::{catch_panic, until},
    outcome::Outcome,
};
use formread_core::{
    assemble::PageRecord,
    reader::{Reader, rejected},
};
use formread_page::scans::Scan;
use formread_raster::{error::Result, hash::Sha256};

/// Collects the pages of a file until it ends, where rules tie pages together; where none do, each page passes at once.
/// It keeps the records of one file, whose number [`formread_page::Limits`] bound.
pub struct AcrossPages<'a> {
    reader: &'a Reader,
    pages: Vec<(&'a Scan, Option<Sha256>, PageRecord)>,
}

impl<'a> AcrossPages<'a> {
    pub fn new(reader: &'a Reader) -> Self {
        Self { reader, pages: Vec::new() }
    }

    /// Takes the next outcome in the order of the input, and delivers the outcomes that are final.
    ///
    /// # Errors
    /// Where `deliver` fails.
    pub fn take(&mut self, outcome: Outcome<'a>, deliver: &mut impl FnMut(Outcome<'a>) -> Result<()>) -> Result<()> {
        match outcome {
            Outcome::Page { scan, sha256, record } if self.reader.has_cross_page_rules() => {
                self.pages.push((scan, sha256, record))
            }
            Outcome::FileEnd { .. } => {
                self.reconcile();
                let page = |(scan, sha256, record)| Outcome::Page { scan, sha256, record };
                self.pages.drain(..).map(page).chain([outcome]).try_for_each(deliver)?;
            }
            _ => deliver(outcome)?,
        }
        Ok(())
    }

    /// Applies the rules across pages. If they panic or take longer than a page may, every page
    /// of the file is rejected.
    fn reconcile(&mut self) {
        let mut records: Vec<PageRecord> = self.pages.iter().map(|(.., record)| record.clone()).collect();
        let deadline = self.reader.limits().page_deadline();
        let reconciled = catch_panic(|| {
            until(deadline, || self.reader.stages().reconcile(&mut records));
            Ok(())
        });
        for ((.., page), record) in self.pages.iter_mut().zip(records) {
            *page = match &reconciled {
                Ok(()) => record,
                Err(error) => rejected(page.page, error),
            };
        }
    }
}

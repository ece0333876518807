//! The tables of a database -> a run.

use std::collections::HashSet;

use formread_core::rows::{FieldRow, PageRows, Verdict};
use formread_raster::error::{Error, Format, Result};

use super::Engine;
use crate::{
    identifiers::literal,
    record::{RecordHead, Scan, hash_of},
    rows::{DocumentRow, Run, Sink, Source},
};

/// The last run that was loaded, with the rows that the tables have of its scans now.
pub struct DatabaseSource<E> {
    engine: E,
}

impl<E: Engine> DatabaseSource<E> {
    /// Reads the tables behind `engine`.
    pub fn new(engine: E) -> Self {
        Self { engine }
    }

    fn run(&mut self) -> Result<Run> {
        let mut run = None;
        self.engine.query(
            "SELECT run, record, has_documents FROM runs ORDER BY sequence DESC LIMIT 1",
            &mut |cells| {
                let text = |i: usize| cells[i].as_deref().unwrap_or_default();
                let has_documents = matches!(text(2), "1" | "t");
                let (key, record) = (hash_of(text(0))?, RecordHead::parse(text(1))?);
                run = Some(Run { key, record, columns: Vec::new(), forms: Vec::new(), has_documents });
                Ok(())
            },
        )?;
        let mut run = run.ok_or_else(|| Error::usage("no run was loaded").with_hint("load tables first"))?;
        let query = format!(
            "SELECT field FROM form_fields WHERE form IN (SELECT p.form FROM scans s JOIN pages p ON p.sha256 = s.sha256 \
             WHERE s.run = {}) ORDER BY form, position",
            literal(&run.key.to_string())
        );
        self.engine.query(&query, &mut |cells| {
            let column = cells[0].as_deref().unwrap_or_default();
            if !run.columns.iter().any(|known| known == column) {
                run.columns.push(column.to_owned());
            }
            Ok(())
        })?;
        Ok(run)
    }

    /// The scans of a run, with the number of pages that the tables have of each.
    fn scans(&mut self, run: &Run) -> Result<Vec<Scan>> {
        let query = format!(
            "SELECT s.position, s.scan, s.sha256, (SELECT count(*) FROM pages p WHERE p.sha256 = s.sha256) FROM scans s \
             WHERE s.run = {} ORDER BY s.position",
            literal(&run.key.to_string())
        );
        let (mut scans, mut contents) = (Vec::new(), HashSet::new());
        self.engine.query(&query, &mut |cells| {
            let text = |i: usize| cells[i].as_deref().unwrap_or_default();
            let sha256 = match Scan::sha256_of(text(2)) {
                "" => None,
                digits => Some(hash_of(digits)?),
            };
            scans.push(Scan {
                position: parsed(text(0))?,
                name: text(1).to_owned(),
                sha256,
                pages: parsed(text(3))?,
                is_copy: sha256.is_some_and(|sha256| !contents.insert(sha256)),
            });
            Ok(())
        })?;
        Ok(scans)
    }

    /// The documents of a run, each with the position of its scan.
    fn documents(&mut self, run: &Run) -> Result<Vec<(u32, DocumentRow)>> {
        let query = format!(
            "SELECT s.position, d.document, d.verdict, d.pages, d.missing, d.surplus, d.unread FROM scans s \
             JOIN documents d ON d.sha256 = s.sha256 WHERE s.run = {} ORDER BY s.position, d.position",
            literal(&run.key.to_string())
        );
        let mut documents = Vec::new();
        self.engine.query(&query, &mut |cells| {
            let text = |i: usize| cells[i].as_deref().unwrap_or_default().to_owned();
            documents.push((parsed(&text(0))?, DocumentRow { cells: std::array::from_fn(|i| text(i + 1)) }));
            Ok(())
        })?;
        Ok(documents)
    }
}

impl<E: Engine> Source for DatabaseSource<E> {
    fn send(&mut self, sink: &mut dyn Sink) -> Result<()> {
        if self.engine.schema_version()?.as_deref() != Some(super::VERSION) {
            return Err(Error::usage("no tables of this version of formread").with_hint("load tables first"));
        }
        let run = self.run()?;
        let scans = self.scans(&run)?;
        let documents = self.documents(&run)?;
        sink.begin(&run)?;
        let mut order = Order { sink, scans: &scans, documents: &documents, n_scans: 0, page: None };
        let query = format!(
            "SELECT s.position, s.scan, p.page, p.form, p.verdict, p.attention, f.field, f.state, f.value, f.guess, \
             f.confidence, f.reason, f.x0, f.y0, f.x1, f.y1 FROM scans s JOIN pages p ON p.sha256 = s.sha256 \
             LEFT JOIN fields f ON f.sha256 = p.sha256 AND f.page = p.page WHERE s.run = {} \
             ORDER BY s.position, p.page, f.position",
            literal(&run.key.to_string())
        );
        self.engine.query(&query, &mut |cells| {
            let text = |i: usize| cells[i].as_deref().unwrap_or_default();
            let (position, page) = (parsed(text(0))?, parsed(text(2))?);
            if order.page.as_ref().is_none_or(|(at, rows)| (*at, rows.page) != (position, page)) {
                let verdicts = [Verdict::Accepted, Verdict::Review, Verdict::Rejected];
                let verdict = verdicts.into_iter().find(|verdict| verdict.as_str() == text(4));
                order.begin_page(
                    position,
                    PageRows {
                        scan: text(1).to_owned(),
                        page,
                        form: text(3).to_owned(),
                        verdict: verdict
                            .ok_or_else(|| Error::format(Format::Table, format!("verdict: {}", text(4))))?,
                        attention: text(5).to_owned(),
                        fields: Vec::new(),
                        readings: Vec::new(),
                    },
                )?;
            }
            if let (Some((_, rows)), Some(field)) = (&mut order.page, &cells[6]) {
                let own = |i: usize| text(i).to_owned();
                rows.fields.push(FieldRow {
                    field: field.to_string(),
                    state: own(7),
                    value: own(8),
                    guess: own(9),
                    confidence: own(10),
                    reason: own(11),
                    bounds: [parsed(text(12))?, parsed(text(13))?, parsed(text(14))?, parsed(text(15))?],
                });
            }
            Ok(())
        })?;
        order.end()
    }
}

/// Hands pages and documents to a sink under their scans.
struct Order<'a> {
    sink: &'a mut dyn Sink,
    scans: &'a [Scan],
    /// Those that are left.
    documents: &'a [(u32, DocumentRow)],
    /// Number of scans that the sink has.
    n_scans: usize,
    /// The page whose fields come now, and the position of its scan.
    page: Option<(u32, PageRows)>,
}

impl Order<'_> {
    fn begin_page(&mut self, position: u32, rows: PageRows) -> Result<()> {
        self.end_page()?;
        while self.scans.get(self.n_scans).is_some_and(|scan| scan.position <= position) {
            self.next_scan()?;
        }
        self.page = Some((position, rows));
        Ok(())
    }

    fn end_page(&mut self) -> Result<()> {
        self.page.take().map_or(Ok(()), |(_, rows)| self.sink.page(&rows))
    }

    /// Ends the scan before with its documents, and begins the next one.
    fn next_scan(&mut self) -> Result<()> {
        self.end_documents()?;
        self.sink.scan(&self.scans[self.n_scans])?;
        self.n_scans += 1;
        Ok(())
    }

    fn end_documents(&mut self) -> Result<()> {
        let Some(last) = self.n_scans.checked_sub(1).map(|last| self.scans[last].position) else { return Ok(()) };
        while let [(position, document), rest @ ..] = self.documents
            && *position == last
        {
            self.sink.document(document)?;
            self.documents = rest;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.end_page()?;
        while self.n_scans < self.scans.len() {
            self.next_scan()?;
        }
        self.end_documents()
    }
}

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::format(Format::Table, format!("not a number: {text}")))
}

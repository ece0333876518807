//! The front door: the bytes of a file in, the records of its pages out.
//!
//! [`Reader::read`] does everything. A caller with many pages uses the [`stages`](Reader::stages) one by one: it prepares
//! pages on several threads, has many of them recognised together, and finishes each.

mod builder;
mod identity;
mod number;
mod stages;

use std::sync::{Mutex, PoisonError};

use crate::{
    assemble::{AcceptTable, AssembleParams, DocumentRecord, PageReading, PageRecord, documents},
    form::FormTemplate,
    recognise::{Backend, Recogniser},
    record::Page,
    register::{Families, RegisterParams},
};
use formread_page as page;
use formread_page::Limits;
use formread_raster::error::{Error, ErrorKind, PageReject, Result};

pub use builder::ReaderBuilder;
pub use identity::{ReaderIdentity, ReadingOptions, TemplateId};
pub use stages::{PageExplanation, PageReport, Stages};

pub use crate::recognise::{CutPage, PreparedPage, ScoredField, ScoredPage};

/// Reads pages of the forms it knows. It can be used from many threads.
pub struct Reader {
    templates: Vec<FormTemplate>,
    families: Families,
    limits: Limits,
    register_params: RegisterParams,
    assemble_params: AssembleParams,
    accept: AcceptTable,
    backend: Box<dyn Backend>,
    build_id: String,
    /// Recognisers that no thread uses now: a recogniser moves between threads and is never shared.
    idle: Mutex<Vec<Box<dyn Recogniser>>>,
}

impl Reader {
    /// Begins a reader: templates and a backend are required.
    pub fn builder() -> ReaderBuilder {
        ReaderBuilder::default()
    }

    /// The same reader with other acceptance levels.
    #[must_use]
    pub fn with_acceptance(self, accept: AcceptTable) -> Self {
        Self { accept, ..self }
    }

    /// The forms it knows.
    pub fn templates(&self) -> &[FormTemplate] {
        &self.templates
    }

    /// The limits on its input.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How it makes values of scores.
    pub fn assemble_params(&self) -> &AssembleParams {
        &self.assemble_params
    }

    /// Identifies the weights of its backend: [`Backend::id`].
    pub fn weights_id(&self) -> String {
        self.backend.id()
    }

    /// All that its readings depend on besides the file.
    pub fn identity(&self) -> ReaderIdentity {
        ReaderIdentity {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build: self.build_id.clone(),
            weights: self.weights_id(),
            templates: self.templates.iter().map(TemplateId::of).collect(),
            options: ReadingOptions {
                compute: self.backend.compute(),
                limits: self.limits,
                register: self.register_params,
                assemble: self.assemble_params,
                accept: self.accept.clone(),
            },
        }
    }

    /// Whether rules connect pages of a file. If so, a page is read for good only with all other pages of its file.
    pub fn has_cross_page_rules(&self) -> bool {
        self.templates.iter().any(|template| !template.other_fields.is_empty())
    }

    /// Reads every page of a file. A page that cannot be read is a rejected page, and so is a file that is no image.
    ///
    /// It decodes in this process: a file can make a decoder overflow the stack or exhaust memory. The pool in
    /// [`formread_page::decoder_process`] decodes in other processes.
    ///
    /// # Errors
    /// Where the backend fails; never because of the content of `bytes`.
    pub fn read(&self, bytes: &[u8]) -> Result<Vec<Page>> {
        Ok(self.stages().read(bytes)?.iter().map(|record| self.page_of(record)).collect())
    }

    /// Reads one page that was decoded, the 1-based `number` of its file, as if its file had no other page.
    ///
    /// # Errors
    /// Where the backend fails.
    pub fn read_page(&self, number: u32, page: &page::Page) -> Result<Page> {
        Ok(self.page_of(&self.stages().read_page(number, page)?.record))
    }

    /// The documents of several pages among the pages of one file, by name, and whether they are complete.
    pub fn documents(&self, pages: &[Page]) -> Vec<DocumentRecord> {
        documents(&self.templates, pages.iter().map(Page::summary))
    }

    fn page_of(&self, record: &PageRecord) -> Page {
        let form = match &record.reading {
            PageReading::Read { form, .. } => Some(form),
            PageReading::Rejected { form, .. } => form.as_ref(),
        };
        let template = form.and_then(|form| self.templates.iter().find(|template| template.name == *form));
        Page::new(record, template)
    }

    /// The steps of reading a page, one by one.
    pub fn stages(&self) -> Stages<'_> {
        Stages::new(self)
    }

    /// Does once what the first page would otherwise wait for, such as the choice of kernels.
    ///
    /// # Errors
    /// Where the backend fails.
    pub fn warm_up(&self) -> Result<()> {
        self.with_recogniser(|recogniser| recogniser.warm_up())
    }

    /// Calls `work` with a recogniser that no other thread uses.
    fn with_recogniser<T>(&self, work: impl FnOnce(&mut dyn Recogniser) -> Result<T>) -> Result<T> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let mut recogniser = match taken {
            Some(recogniser) => recogniser,
            None => self.backend.recogniser()?,
        };
        let done = work(recogniser.as_mut())?;
        idle().push(recogniser);
        Ok(done)
    }
}

/// The record of a page that could not be prepared because of a fault of its file.
pub fn rejected(page: u32, error: &Error) -> PageRecord {
    let reason = match error.kind() {
        ErrorKind::Limit { .. } => PageReject::TooLarge,
        ErrorKind::TimedOut { .. } => PageReject::TimedOut,
        ErrorKind::Unsupported { .. } => PageReject::UnsupportedFormat,
        ErrorKind::Internal(_) | ErrorKind::Net(_) => PageReject::InternalError,
        _ => PageReject::Unreadable,
    };
    let detail = error.kind().to_string();
    PageRecord { page, reading: PageReading::Rejected { form: None, reason, detail } }
}

#[cfg(test)]
mod tests;

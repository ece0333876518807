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
    assemble::{AcceptTable, AssembleParams, PageReading, PageRecord},
    form::FormTemplate,
    recognise::{Backend, Recogniser},
    register::{Families, RegisterParams},
};
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
        ErrorKind::Internal(_) | ErrorKind::Net(_) => PageReject::InternalError,
        _ => PageReject::Unreadable,
    };
    let detail = error.kind().to_string();
    PageRecord { page, reading: PageReading::Rejected { form: None, reason, detail } }
}

#[cfg(test)]
mod tests;

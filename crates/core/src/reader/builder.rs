//! How a reader is put together.

use std::{collections::HashSet, sync::Mutex};

use super::Reader;
use crate::{
    assemble::{AcceptTable, AssembleParams},
    form::{FormTemplate, check_documents, check_other_fields},
    recognise::Backend,
    register::{Families, RegisterParams},
};
use formread_page::Limits;
use formread_raster::error::{Error, Result};

/// Collects what a [`Reader`] is made of.
#[derive(Default)]
#[must_use]
pub struct ReaderBuilder {
    templates: Vec<FormTemplate>,
    backend: Option<Box<dyn Backend>>,
    limits: Limits,
    accept: AcceptTable,
    build_id: String,
}

impl ReaderBuilder {
    /// Adds forms to read.
    pub fn templates(mut self, templates: impl IntoIterator<Item = FormTemplate>) -> Self {
        self.templates.extend(templates);
        self
    }

    /// Sets what scores the ink. Required.
    pub fn backend(self, backend: impl Backend + 'static) -> Self {
        Self { backend: Some(Box::new(backend)), ..self }
    }

    /// Sets the limits on input.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets the acceptance levels: a reading is accepted from the level of its form and field on.
    pub fn acceptance(self, accept: AcceptTable) -> Self {
        Self { accept, ..self }
    }

    /// Sets what identifies the build of the program: a hash of its sources. It becomes part of
    /// [`super::ReaderIdentity`].
    pub fn build_id(self, build_id: impl Into<String>) -> Self {
        Self { build_id: build_id.into(), ..self }
    }

    /// Makes the reader, and its first recogniser.
    ///
    /// # Errors
    /// `Usage` where there is no template, no backend, or two templates have one name; as [`check_other_fields`] and
    /// [`check_documents`]; where the backend cannot make a recogniser.
    pub fn build(self) -> Result<Reader> {
        let Self { templates, backend, limits, accept, build_id } = self;
        if templates.is_empty() {
            return Err(Error::usage("no template is given"));
        }
        let mut names = HashSet::new();
        if let Some(twice) = templates.iter().find(|template| !names.insert(&template.name)) {
            return Err(Error::usage(format!("two templates have one name: {}", twice.name)));
        }
        check_other_fields(&templates)?;
        check_documents(&templates)?;
        let backend = backend.ok_or_else(|| Error::usage("no backend is given"))?;
        let register_params = RegisterParams::default();
        let idle = Mutex::new(vec![backend.recogniser()?]);
        Ok(Reader {
            families: Families::new(&templates, &register_params),
            templates,
            limits,
            register_params,
            assemble_params: AssembleParams { confidence: backend.confidence(), ..AssembleParams::default() },
            accept,
            backend,
            build_id,
            idle,
        })
    }
}

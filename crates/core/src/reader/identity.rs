//! What a reader reads with, in names that tell one from another.

use serde::Serialize;

use crate::{assemble::AcceptTable, form::FormTemplate, register::RegisterParams, scores::Compute};
use formread_page::Limits;
use formread_raster::hash::Sha256;

/// What a reader reads with: all that its answers depend on besides the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReaderIdentity {
    /// Version of formread.
    pub version: String,
    /// [`crate::Reader::weights_fingerprint`].
    pub weights: String,
    /// The forms it knows, in the order in which they are tried.
    pub templates: Vec<TemplateId>,
    /// What else changes the reading.
    pub options: ReadingOptions,
}

/// A template, by name and by what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TemplateId {
    /// The template's name.
    pub name: String,
    /// [`crate::form::FormTemplate::fingerprint`].
    pub fingerprint: Sha256,
    /// The version that the template gives itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl TemplateId {
    /// That of `template`.
    pub fn of(template: &FormTemplate) -> Self {
        let FormTemplate { name, version, .. } = template;
        Self { name: name.clone(), fingerprint: template.fingerprint(), version: version.clone() }
    }
}

/// The numbers that change a reading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReadingOptions {
    /// Where the nets reckon, and in which numbers.
    pub nets: Compute,
    /// What is refused unread.
    pub limits: Limits,
    /// When a page is taken for a form.
    pub register: RegisterParams,
    /// When a field is accepted.
    pub accept: AcceptTable,
}

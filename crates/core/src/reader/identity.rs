//! What a reader reads with: one identity for journal, run report and explanation.

use serde::Serialize;

use crate::{
    assemble::{AcceptTable, AssembleParams},
    form::FormTemplate,
    register::RegisterParams,
    scores::Compute,
};
use formread_page::Limits;
use formread_raster::hash::{Sha256, sha256};

/// All that a reader's answers depend on besides the file. Two readers of one identity read a file alike.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReaderIdentity {
    /// Version of formread.
    pub version: String,
    /// Identifies the build: a hash of the program's sources; empty where the builder was not given one.
    pub build: String,
    /// Identifies the weights and their sidecar: [`crate::recognise::Backend::id`].
    pub weights: String,
    /// The forms it knows, in the order in which they are tried.
    pub templates: Vec<TemplateId>,
    /// What else changes a reading.
    pub options: ReadingOptions,
}

impl ReaderIdentity {
    /// SHA-256 of its JSON: compact, keys in the order of the fields above, maps sorted by key.
    pub fn sha256(&self) -> Sha256 {
        sha256(&serde_json::to_vec(self).expect("all keys of its maps are strings"))
    }
}

/// A template, by name and by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TemplateId {
    /// The template's name.
    pub name: String,
    /// [`crate::form::FormTemplate::fingerprint`].
    pub fingerprint: Sha256,
    /// The version that the template declares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl TemplateId {
    /// The identity of `template`.
    pub fn of(template: &FormTemplate) -> Self {
        let FormTemplate { name, version, .. } = template;
        Self { name: name.clone(), fingerprint: template.fingerprint(), version: version.clone() }
    }
}

/// The parameters of reading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReadingOptions {
    /// Device and precision of the nets.
    pub compute: Compute,
    /// Which input is refused.
    pub limits: Limits,
    /// When a page is recognised as a form.
    pub register: RegisterParams,
    /// How scores become values.
    pub assemble: AssembleParams,
    /// When a value is accepted.
    pub accept: AcceptTable,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::AcceptParams;

    fn identity() -> ReaderIdentity {
        ReaderIdentity {
            version: "1".to_owned(),
            build: "b".to_owned(),
            weights: "w".to_owned(),
            templates: vec![TemplateId { name: "f".to_owned(), fingerprint: sha256(b"t"), version: None }],
            options: ReadingOptions {
                compute: Compute::default(),
                limits: Limits::default(),
                register: RegisterParams::default(),
                assemble: AssembleParams::default(),
                accept: AcceptTable::default(),
            },
        }
    }

    #[test]
    fn identity_of_equal_parts_has_one_hash_and_of_any_other_part_another() {
        assert_eq!(identity().sha256(), identity().sha256());
        let changes: [fn(&mut ReaderIdentity); 7] = [
            |identity| identity.version.push('1'),
            |identity| identity.build.push('1'),
            |identity| identity.weights.push('1'),
            |identity| identity.templates[0].fingerprint = sha256(b"u"),
            |identity| identity.options.limits.page_seconds += 1,
            |identity| identity.options.assemble.confidence.intercept += 1e-9,
            |identity| {
                let never = [("a".to_owned(), AcceptParams::NEVER)].into();
                identity.options.accept.by_field.insert("f".to_owned(), never);
            },
        ];
        for (i, change) in changes.into_iter().enumerate() {
            let mut changed = identity();
            change(&mut changed);
            assert_ne!(changed.sha256(), identity().sha256(), "change {i}");
        }
    }
}

//! What a person says of a field.

use serde::{Deserialize, Serialize};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// What is written, in canonical form.
    Value(String),
    /// Nothing is written.
    Blank,
    /// What is written cannot be read, or is no value of the field's kind.
    Illegible,
}

impl Answer {
    /// As a table shows it: the value; nothing for blank; `?` where it cannot be read.
    pub fn text(&self) -> &str {
        match self {
            Self::Value(text) => text,
            Self::Blank => "",
            Self::Illegible => "?",
        }
    }
}

/// An answer, and who gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The answer's identifier, which the page chose: an answer that is sent twice counts once.
    pub id: String,
    /// The person.
    pub who: String,
    /// What the person said.
    pub answer: Answer,
}

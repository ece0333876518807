//! What a person says of a field, or of a page.

use std::borrow::Cow;

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
    /// Of a field whose digits have all passed in groups, the people who looked at them: `who` names them together. Nobody else is in it.
    pub in_groups: Vec<String>,
}

impl Reading {
    /// What a person keyed.
    pub fn keyed(id: &str, who: &str, answer: Answer) -> Self {
        Self { id: id.to_owned(), who: who.to_owned(), answer, in_groups: Vec::new() }
    }

    /// The people of whom none reads the field again.
    pub fn people(&self) -> &[String] {
        match self.in_groups.is_empty() {
            true => std::slice::from_ref(&self.who),
            false => &self.in_groups,
        }
    }

    /// Whether nobody keyed it: its digits passed in groups.
    pub fn is_of_groups(&self) -> bool {
        !self.in_groups.is_empty()
    }
}

/// What somebody decides of a page after a look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The scan is bad: the paper must be scanned again.
    ScanAgain,
    /// There is nothing to read on it: an empty page, a cover, another paper.
    NoForm,
    /// Somebody must deal with the paper.
    GiveBack,
    /// What is written beside the fields changes nothing. Only of pages with such writing.
    NothingToBook,
    /// It is a page of this form, by the template's name: people key its fields. Only of rejected pages that can be seen.
    Form(String),
}

impl Decision {
    /// The word in the tables.
    pub fn word(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::ScanAgain => "scan-again",
            Self::NoForm => "no-form",
            Self::GiveBack => "give-back",
            Self::NothingToBook => "nothing-to-book",
            Self::Form(name) => return Cow::Owned(format!("form:{name}")),
        })
    }
}

/// Why an answer, or a decision, is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The session has ended, or never began.
    NoSession,
    /// There is no such field.
    NoField,
    /// This person has read the field.
    AlreadyRead,
    /// There is no such page, or it can be no such thing.
    NoPage,
    /// The run has no such form.
    NoForm,
    /// Somebody has decided what becomes of the page.
    AlreadyDecided,
    /// The group is before this session no more.
    NoGroup,
    /// There is no answer, or decision, to take back.
    NothingToUndo,
}

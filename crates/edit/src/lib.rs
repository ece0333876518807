//! The editor of templates: a page of the browser with a blank form, the template's fields on it, and the template's text.
//!
//! ```text
//! text ─ view (what the page draws)
//!      ─ change (one edit: the text before, the text after)
//!      ─ verdicts (as `formread template check`)
//!      ─ file (saved whole, unless the file changed meanwhile)
//! ```
//!
//! # Invariants
//!
//! - The text is the truth: the page keeps texts, and undoes by going back to one. Everything else follows from a text.
//! - A change keeps comments and order, and gives a text that is a template, or is refused.
//! - `change` and `view` are functions: they see no file, clock or thread.

mod blank;
mod change;
mod file;
mod keys;
mod serve;
mod verdicts;
mod view;

pub use blank::Blank;
pub use file::SavedTemplate;
pub use serve::{EditOptions, serve};

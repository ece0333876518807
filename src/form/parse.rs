//! TOML text -> checked template.

use super::FormTemplate;
use crate::error::{Error, Result};

/// Parses a template; errors name line and field.
///
/// # Errors
/// `Format` where the text is no template.
pub fn parse_template(text: &str) -> Result<FormTemplate> {
    let _ = text;
    Err(Error::format("template", "nothing yet"))
}

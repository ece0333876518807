//! The lines of a template's text at which its parts begin, for messages about them.

use super::{
    raw::{RawTemplate, Spanned},
    source::Source,
};
use formread_raster::error::{Format, Result};

/// 1-based lines of a template's text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateLines {
    /// The name.
    pub name: usize,
    /// The line of each field, in the template's order.
    pub fields: Vec<usize>,
    /// The line of each barcode, likewise.
    pub barcodes: Vec<usize>,
    /// The line of each number, likewise.
    pub numbers: Vec<usize>,
    /// The first line of lines, frames, marks or words; without any, that of the name.
    pub landmarks: usize,
}

impl TemplateLines {
    /// Finds the parts of `text`.
    ///
    /// # Errors
    /// `Format` where the text is no TOML of a template.
    pub fn parse(text: &str) -> Result<Self> {
        let source = Source { what: Format::Template, text };
        let raw: RawTemplate = toml::from_str(text).map_err(|error| source.toml_error(&error))?;
        let name = raw.name.as_ref().map_or(1, |name| source.line_of(name.span().start));
        let first = |quads: &[super::raw::Quad]| quads.first().map(|quad| quad.span().start);
        let landmarks = [first(&raw.lines), first(&raw.frames), first(&raw.marks)];
        let words = raw.words.first().map(|word| word.span().start);
        let landmarks = landmarks.into_iter().chain([words]).flatten().min();
        let fields = raw.fields.iter().map(|field: &Spanned<_>| source.line_of(field.span().start)).collect();
        let barcodes = raw.barcodes.iter().map(|barcode| source.line_of(barcode.span().start)).collect();
        let numbers = raw.numbers.iter().map(|number| source.line_of(number.span().start)).collect();
        Ok(Self { name, fields, barcodes, numbers, landmarks: landmarks.map_or(name, |at| source.line_of(at)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_finds_the_line_of_every_part() {
        let text = "# a form\nname = \"t\"\ntitle = \"t\"\npage = [9, 9]\nlines = [\n  [1, 1, 2, 1]\n]\n\n[[field]]\n\
                    name = \"a\"\n\n[[barcode]]\n[[number]]\n# the second\n[[field]]\nname = \"b\"\n";
        let want = TemplateLines { name: 2, fields: vec![9, 15], barcodes: vec![12], numbers: vec![13], landmarks: 6 };
        assert_eq!(TemplateLines::parse(text).expect("it is TOML"), want);
        assert!(TemplateLines::parse("name = 7").is_err());
    }
}

//! Fields of other forms, which rules across the pages of a document name.

use serde::Serialize;

use super::{
    Field, FormTemplate, Rule,
    source::{form_name, is_field_name},
};
use formread_raster::error::{Error, Format, Result};

/// A field of another form that a rule names: `tax-schedule.total`. Its value is the sum over all pages of the document
/// that are of that form, which may be the form that names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherField {
    /// The other template's name.
    pub form: String,
    /// The field's name.
    pub field: String,
}

/// The index of the field that a rule calls `name`: among `fields`, or, after these, among `others`, to which it is added.
pub(super) fn field_idx(name: &str, fields: &[Field], others: &mut Vec<OtherField>) -> Option<usize> {
    let Some((form, field)) = name.split_once('.') else { return fields.iter().position(|field| field.name == name) };
    let form = form_name(form).filter(|_| is_field_name(field))?;
    let known = others.iter().position(|other| other.form == form && other.field == field);
    let idx = known.unwrap_or_else(|| {
        others.push(OtherField { form, field: field.to_owned() });
        others.len() - 1
    });
    Some(fields.len() + idx)
}

impl FormTemplate {
    /// Whether `rule`, one of its own, names fields of other forms.
    pub fn names_other_forms(&self, rule: &Rule) -> bool {
        rule.fields().into_iter().any(|idx| idx >= self.fields.len())
    }

    /// The rules between its own fields alone.
    pub fn own_rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| !self.names_other_forms(rule))
    }

    /// Its rules that name `field` of `form`, this form or another one.
    pub fn rules_naming<'a>(&'a self, form: &str, field: &str) -> impl Iterator<Item = &'a Rule> {
        let own = self.fields.iter().position(|own| self.name == form && own.name == field);
        let other = self.other_fields.iter().position(|other| other.form == form && other.field == field);
        let named = [own, other.map(|idx| self.fields.len() + idx)];
        self.rules.iter().filter(move |rule| rule.fields().into_iter().any(|idx| named.contains(&Some(idx))))
    }
}

/// Checks that every field of another form that a rule names is among `templates`.
///
/// # Errors
/// `Format`, with template, line and rule, where a rule names a form that is not among them, or a field that its form
/// does not have.
pub fn check_other_fields(templates: &[FormTemplate]) -> Result<()> {
    for template in templates {
        for (idx, OtherField { form, field }) in template.other_fields.iter().enumerate() {
            let (why, hint) = match templates.iter().find(|other| other.name == *form) {
                Some(other) if other.fields.iter().any(|known| known.name == *field && !known.is_choice()) => continue,
                Some(other) => {
                    let numbers = other.fields.iter().filter(|field| !field.is_choice());
                    let names: Vec<&str> = numbers.map(|field| field.name.as_str()).collect();
                    let why = format!("it names an unknown field of {form}: {field}");
                    (why, format!("its fields are {}", names.join(", ")))
                }
                None => {
                    let why = format!("it names a form that is not among the templates: {form}");
                    (why, "give that form's template too; a minus needs spaces around it".to_owned())
                }
            };
            let names_it = |rule: &&Rule| rule.fields().contains(&(template.fields.len() + idx));
            let (line, text) = template.rules.iter().find(names_it).map_or((0, ""), |rule| (rule.line, &rule.text));
            let detail = format!("{}: rule: {text:?}: {why}", template.name);
            return Err(Error::format(Format::Template, detail).at_line(line).with_hint(hint));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::parse_template;

    fn template(name: &str, rules: &str) -> FormTemplate {
        let head = format!("name = \"{name}\"\ntitle = \"t\"\nwhole_image = true\nrules = [\n{rules}\n]\n");
        parse_template(&(head + "[[field]]\nname = \"total\"\nkind = \"integer\"\n")).expect("it is well formed")
    }

    #[test]
    fn parse_template_fields_of_other_forms_are_kept_once_each() {
        let other = |form: &str, field: &str| OtherField { form: form.to_owned(), field: field.to_owned() };
        let form = template("a", "\"total = b-1.x + c.1\",\n\"total > 2\",\n\"b-1.x<a.total\"");
        assert_eq!(form.other_fields, [other("b-1", "x"), other("c", "1"), other("a", "total")]);
        assert_eq!(form.rules.iter().map(Rule::fields).collect::<Vec<_>>(), [vec![0, 1, 2], vec![0], vec![1, 3]]);
        assert_eq!(form.rules.iter().map(|rule| rule.line).collect::<Vec<_>>(), [5, 6, 7]);
        assert_eq!(form.own_rules().map(|rule| rule.text.as_str()).collect::<Vec<_>>(), ["total > 2"]);
        let naming = |form: &FormTemplate, other: &str, field: &str| form.rules_naming(other, field).count();
        assert_eq!((naming(&form, "a", "total"), naming(&form, "b-1", "x"), naming(&form, "b", "x")), (3, 2, 0));
    }

    #[test]
    fn check_other_fields_unknown_field_is_named_with_form_line_and_rule() {
        let other = template("b-c", "");
        check_other_fields(&[template("a", "\"total = b-c.total - 2.5\""), other.clone()]).expect("it is there");
        for (rules, line, part) in [
            (
                "\"total > 1\",\n\"total = b-c.sum\"",
                6,
                "a: rule: \"total = b-c.sum\": it names an unknown field of b-c: sum",
            ),
            ("\"total = b.total\"", 5, "not among the templates: b\nhint: "),
            ("\"total=total-b-c.total\"", 5, "not among the templates: total-b-c\nhint: "),
            ("\"total = a.sum\"", 5, "unknown field of a: sum\nhint: its fields are total"),
        ] {
            let error = check_other_fields(&[template("a", rules), other.clone()]).expect_err(rules);
            assert_eq!(error.location().line, Some(line), "{error}");
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn fingerprint_depends_on_other_fields_and_not_on_the_line() {
        let prints = ["\"total = b.x\"", "\n\n\"total = b.x\"", "\"total = b.y\""]
            .map(|rules| template("a", rules).fingerprint());
        assert!(prints[0] == prints[1] && prints[0] != prints[2], "{prints:?}");
    }
}

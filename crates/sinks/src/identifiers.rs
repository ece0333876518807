//! Names of forms and fields as names of views and columns.

use std::collections::HashMap;

use formread_raster::{
    error::{Error, Result},
    hash::shorten_name,
};

use crate::form::{ColumnType, Form};

/// Longest name that PostgreSQL keeps, bytes.
const MAX_BYTES: usize = 63;
/// Names of tables, which no form may have.
const TABLES: [&str; 7] = ["format", "runs", "scans", "pages", "fields", "documents", "form_fields"];
/// Columns of every view and of the Parquet file, which no field may have.
const COLUMNS: [&str; 6] = ["sha256", "scan", "page", "form", "verdict", "attention"];
/// Ends the name of the column that has an amount in units of its last decimal.
const UNITS: &str = "_units";

/// The name of the view of a form, or of its column of a field: that name, shortened where it is too long.
pub fn identifier(name: &str) -> String {
    shorten_name(name.to_owned(), MAX_BYTES)
}

/// The name of the column that has an amount in units of its last decimal.
pub fn units_identifier(name: &str) -> String {
    identifier(&format!("{name}{UNITS}"))
}

/// An identifier as SQL has it, whatever characters are in it.
pub fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// A text as SQL has it.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Checks that all names stay distinct, also where a database does not distinguish large letters from small ones.
///
/// # Errors
/// `Usage` with both names where they collide.
pub fn check(forms: &[Form]) -> Result<()> {
    let views = forms.iter().map(|form| (identifier(&form.name), form.name.as_str()));
    distinct(TABLES.into_iter().map(|table| (table.to_owned(), table)).chain(views), "form")?;
    for form in forms {
        let fields = form.fields.iter().flat_map(|field| {
            let is_amount = matches!(field.column, ColumnType::Amount { .. });
            let units = (is_amount && field.column.has_units()).then(|| units_identifier(&field.name));
            [Some(identifier(&field.name)), units].into_iter().flatten().map(|name| (name, field.name.as_str()))
        });
        distinct(COLUMNS.into_iter().map(|column| (column.to_owned(), column)).chain(fields), "field")
            .map_err(|error| error.in_file(format!("form {}", form.name)))?;
    }
    Ok(())
}

fn distinct<'a>(names: impl Iterator<Item = (String, &'a str)>, what: &str) -> Result<()> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for (identifier, name) in names {
        if let Some(other) = seen.insert(identifier.to_lowercase(), name) {
            let message = format!("two names of a {what} are one in a database: {other}, {name}");
            return Err(Error::usage(message).with_hint("rename one of them in its template"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::FormField;

    fn form(name: &str, fields: &[&str]) -> Form {
        let field = |name: &&str| FormField {
            name: (*name).to_owned(),
            kind: "amount",
            column: ColumnType::Amount { digits: 5, decimals: 2 },
        };
        Form { name: name.to_owned(), fields: fields.iter().map(field).collect() }
    }

    #[test]
    fn names_that_collide_are_refused_with_both() {
        let long = "x".repeat(80);
        check(&[form("a", &["b", "c", &long, &format!("{long}y")]), form("d", &["b"])]).expect("they are distinct");
        for (forms, part) in [
            (vec![form("pages", &[])], "pages, pages"),
            (vec![form("a", &["Total", "total"])], "Total, total"),
            (vec![form("a", &["sha256"])], "sha256, sha256"),
            (vec![form("a", &["Page"])], "page, Page"),
            (vec![form("a", &["tax", "tax_units"])], "tax, tax_units"),
        ] {
            let error = check(&forms).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn identifier_keeps_to_the_bytes_of_postgresql() {
        let long = "line_".repeat(20);
        assert!(identifier(&long).len() <= 63 && units_identifier(&long).len() <= 63);
        assert_eq!(
            (identifier("a"), quoted("a\"b"), literal("it's")),
            ("a".into(), "\"a\"\"b\"".into(), "'it''s'".into())
        );
    }
}

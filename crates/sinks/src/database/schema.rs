//! The tables, in each dialect, and the views of forms.

use crate::{
    form::{ColumnType, Form, FormField},
    identifiers::{identifier, literal, quoted, units_identifier},
};

/// Version of the schema below. It rises when a table changes.
pub const VERSION: &str = "1";

/// What differs between databases.
#[derive(Debug)]
pub struct Dialect {
    /// A whole number of 64 bits.
    integer: &'static str,
    /// True or false.
    boolean: &'static str,
    /// A day.
    date: &'static str,
    /// JSON, kept to the byte.
    json: &'static str,
    /// Column of numbers: its definition.
    number: &'static str,
    /// Ends a table.
    end_of_table: &'static str,
    /// Whether it has decimal numbers. Otherwise an amount is a text, and a whole number of units of its last decimal.
    pub has_decimals: bool,
}

/// PostgreSQL.
#[cfg(feature = "postgres")]
pub static POSTGRES: Dialect = Dialect {
    integer: "bigint",
    boolean: "boolean",
    date: "date",
    json: "json",
    number: "number numeric",
    end_of_table: "",
    has_decimals: true,
};

/// SQLite, with tables that check the types of their columns.
#[cfg(feature = "sqlite")]
pub static SQLITE: Dialect = Dialect {
    integer: "INTEGER",
    boolean: "INTEGER",
    date: "TEXT",
    json: "TEXT",
    number: "units INTEGER",
    end_of_table: " STRICT",
    has_decimals: false,
};

/// The tables. What is between braces is replaced.
const TABLES: &str = "\
CREATE TABLE format (version text NOT NULL){end};
CREATE TABLE runs (
    run text PRIMARY KEY, sequence {integer} NOT NULL UNIQUE, identity text NOT NULL, weights text NOT NULL,
    templates {json} NOT NULL, options {json} NOT NULL, record {json} NOT NULL, has_documents {boolean} NOT NULL
){end};
CREATE TABLE scans (
    run text NOT NULL REFERENCES runs ON DELETE CASCADE, position {integer} NOT NULL, scan text NOT NULL,
    sha256 text NOT NULL, PRIMARY KEY (run, position), UNIQUE (run, scan)
){end};
CREATE INDEX scans_by_content ON scans (sha256);
CREATE TABLE pages (
    sha256 text NOT NULL, page {integer} NOT NULL, form text,
    verdict text NOT NULL CHECK (verdict IN ('accepted', 'review', 'rejected')), attention text,
    run text NOT NULL, digest text NOT NULL, PRIMARY KEY (sha256, page)
){end};
CREATE INDEX pages_by_form ON pages (form);
CREATE TABLE fields (
    sha256 text NOT NULL, page {integer} NOT NULL, field text NOT NULL, position {integer} NOT NULL,
    state text NOT NULL CHECK (state IN ('accepted', 'blank', 'review')),
    value text CHECK ((value IS NOT NULL) = (state = 'accepted')), {number}, date {date}, mark {boolean},
    guess text, confidence {confidence}, reason text,
    x0 {integer} NOT NULL, y0 {integer} NOT NULL, x1 {integer} NOT NULL, y1 {integer} NOT NULL,
    by_person {boolean} NOT NULL,
    PRIMARY KEY (sha256, page, field), FOREIGN KEY (sha256, page) REFERENCES pages ON DELETE CASCADE
){end};
CREATE TABLE documents (
    sha256 text NOT NULL, position {integer} NOT NULL, document text NOT NULL, verdict text NOT NULL,
    pages text, missing text, surplus text, unread text, PRIMARY KEY (sha256, document)
){end};
CREATE TABLE form_fields (
    form text NOT NULL, position {integer} NOT NULL, field text NOT NULL, kind text NOT NULL,
    digits {integer}, decimals {integer}, PRIMARY KEY (form, field)
){end};
";

/// Columns of the tables, as rows are appended to them.
pub mod columns {
    /// `runs`
    pub const RUNS: [&str; 8] =
        ["run", "sequence", "identity", "weights", "templates", "options", "record", "has_documents"];
    /// `scans`
    pub const SCANS: [&str; 4] = ["run", "position", "scan", "sha256"];
    /// `pages`
    pub const PAGES: [&str; 7] = ["sha256", "page", "form", "verdict", "attention", "run", "digest"];
    /// `fields`, with the column of numbers of a database that has decimals.
    pub const FIELDS: [&str; 17] = [
        "sha256",
        "page",
        "field",
        "position",
        "state",
        "value",
        "number",
        "date",
        "mark",
        "guess",
        "confidence",
        "reason",
        "x0",
        "y0",
        "x1",
        "y1",
        "by_person",
    ];
    /// `documents`
    pub const DOCUMENTS: [&str; 8] =
        ["sha256", "position", "document", "verdict", "pages", "missing", "surplus", "unread"];
    /// `form_fields`
    pub const FORM_FIELDS: [&str; 6] = ["form", "position", "field", "kind", "digits", "decimals"];
}

impl Dialect {
    /// The statements that make the tables.
    pub fn tables(&self) -> String {
        let confidence = if self.has_decimals { "numeric(5, 4)" } else { "text" };
        let mut ddl = TABLES.to_owned();
        for (word, text) in [
            ("{integer}", self.integer),
            ("{boolean}", self.boolean),
            ("{date}", self.date),
            ("{json}", self.json),
            ("{number}", self.number),
            ("{confidence}", confidence),
            ("{end}", self.end_of_table),
        ] {
            ddl = ddl.replace(word, text);
        }
        ddl + &format!("INSERT INTO format VALUES ({});\n", literal(VERSION))
    }

    /// The columns of `fields`.
    pub fn field_columns(&self) -> Vec<&'static str> {
        let units = |column: &'static str| if column == "number" && !self.has_decimals { "units" } else { column };
        columns::FIELDS.into_iter().map(units).collect()
    }

    /// Statements that fail where a table is missing, has other columns, or may not be written to. They change nothing.
    pub fn probe(&self) -> String {
        let fields = self.field_columns();
        let tables: [(&str, &[&str]); 6] = [
            ("runs", &columns::RUNS),
            ("scans", &columns::SCANS),
            ("pages", &columns::PAGES),
            ("fields", &fields),
            ("documents", &columns::DOCUMENTS),
            ("form_fields", &columns::FORM_FIELDS),
        ];
        let of = |(table, columns): (&str, &[&str])| {
            let list = columns.join(", ");
            format!(
                "INSERT INTO {table} ({list}) SELECT {list} FROM {table} WHERE 1 = 0; DELETE FROM {table} WHERE 1 = 0;\n"
            )
        };
        tables.into_iter().map(of).collect::<String>() + "UPDATE runs SET sequence = sequence WHERE 1 = 0;\n"
    }

    /// The statements that make the view of a form anew: one typed column for each field, with accepted values alone.
    pub fn view(&self, form: &Form) -> String {
        let view = quoted(&identifier(&form.name));
        let mut columns = String::new();
        for field in &form.fields {
            for (column, name) in self.view_columns(field) {
                columns += &format!(",\n    {column} AS {}", quoted(&name));
            }
        }
        format!(
            "DROP VIEW IF EXISTS {view};\nCREATE VIEW {view} AS SELECT p.sha256, p.page,\n    \
             (SELECT s.scan FROM scans s JOIN runs r ON r.run = s.run WHERE s.sha256 = p.sha256\n     \
             ORDER BY r.sequence DESC, s.position LIMIT 1) AS scan,\n    \
             p.verdict, p.attention{columns}\nFROM pages p LEFT JOIN fields f ON f.sha256 = p.sha256 AND f.page = p.page\n\
             WHERE p.form = {} GROUP BY p.sha256, p.page;\n",
            literal(&form.name)
        )
    }

    /// The columns of a field: expressions and names.
    fn view_columns(&self, field: &FormField) -> Vec<(String, String)> {
        let of = |column: &str| format!("max(CASE WHEN f.field = {} THEN {column} END)", literal(&field.name));
        let name = identifier(&field.name);
        let text = || (of("f.value"), name.clone());
        if !self.has_decimals {
            return match field.column {
                ColumnType::Integer { .. } if field.column.has_units() => vec![(of("f.units"), name)],
                ColumnType::Date => vec![(of("f.date"), name)],
                ColumnType::Mark => vec![(of("f.mark"), name)],
                ColumnType::Amount { .. } if field.column.has_units() => {
                    vec![text(), (of("f.units"), units_identifier(&field.name))]
                }
                _ => vec![text()],
            };
        }
        let cast = |sql_type: String| vec![(format!("CAST({} AS {sql_type})", of("f.number")), name.clone())];
        match field.column {
            ColumnType::Integer { .. } if field.column.fits_i64() => cast(self.integer.to_owned()),
            ColumnType::Integer { digits } => cast(format!("numeric({digits}, 0)")),
            ColumnType::Amount { digits, decimals } => cast(format!("numeric({digits}, {decimals})")),
            ColumnType::Date => vec![(of("f.date"), name)],
            ColumnType::Mark => {
                let of = format!("bool_or(CASE WHEN f.field = {} THEN f.mark END)", literal(&field.name));
                vec![(of, name)]
            }
            ColumnType::Text => vec![text()],
        }
    }
}

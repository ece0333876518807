//! The text of a template as a tree that keeps its comments.

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value};

use formread_raster::error::{Error, Format, Result};

/// A template's text that is being changed.
pub struct Document {
    toml: DocumentMut,
    dropped: Vec<String>,
}

impl Document {
    /// Parses a text.
    ///
    /// # Errors
    /// `Format` where it is not TOML.
    pub fn parse(text: &str) -> Result<Self> {
        let toml: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            let located = Error::format(Format::Template, error.message());
            match error.span() {
                Some(span) => located.at_line(1 + text.bytes().take(span.start).filter(|b| *b == b'\n').count()),
                None => located,
            }
        })?;
        let mut document = Self { toml, dropped: Vec::new() };
        if let Ok(fields) = document.fields() {
            fields.iter_mut().for_each(|field| unplace(field, false));
        }
        Ok(document)
    }

    /// The new text, and what had to go.
    pub fn finish(self) -> (String, Vec<String>) {
        (self.toml.to_string(), self.dropped)
    }

    /// The table of everything.
    pub fn root(&mut self) -> &mut Table {
        self.toml.as_table_mut()
    }

    /// The fields.
    ///
    /// # Errors
    /// `Usage` where they are not written as `[[field]]`.
    pub fn fields(&mut self) -> Result<&mut ArrayOfTables> {
        self.toml.get_mut("field").and_then(Item::as_array_of_tables_mut).ok_or_else(|| {
            Error::usage("the fields are not written as [[field]]")
                .with_hint("write each field as a [[field]] of its own")
        })
    }

    /// A field.
    ///
    /// # Errors
    /// `Usage` where there is none of this index.
    pub fn field(&mut self, idx: usize) -> Result<&mut Table> {
        self.fields()?.get_mut(idx).ok_or_else(|| Error::usage("no such field"))
    }

    /// A field's name; empty where it has none.
    ///
    /// # Errors
    /// As [`Document::field`].
    pub fn name(&mut self, idx: usize) -> Result<String> {
        Ok(self.field(idx)?.get("name").and_then(Item::as_str).unwrap_or_default().to_owned())
    }

    /// Puts a field into the order at `idx`, where its table is written after that of the field before it.
    ///
    /// # Errors
    /// As [`Document::fields`].
    pub fn insert_field(&mut self, idx: usize, mut table: Table) -> Result<()> {
        let fields = self.fields()?;
        let idx = idx.min(fields.len());
        let before = idx.checked_sub(1).and_then(|before| fields.get(before)).and_then(Table::position);
        let position = before.or_else(|| fields.get(idx).and_then(Table::position));
        table.set_position(position);
        fields.insert(idx, table);
        Ok(())
    }

    /// Takes a field out. A comment that an empty line parts from it stays: it is about what follows.
    ///
    /// # Errors
    /// As [`Document::field`].
    pub fn remove_field(&mut self, idx: usize) -> Result<Table> {
        self.field(idx)?;
        let mut table = self.fields()?.remove(idx);
        let own = prefix_of(&table);
        if let Some((kept, comment)) = own.rsplit_once("\n\n").filter(|(kept, _)| kept.contains('#')) {
            let (kept, comment) = (format!("{kept}\n"), format!("\n{comment}"));
            table.decor_mut().set_prefix(comment);
            let position = table.position();
            self.put_before_next(position, &kept);
        }
        Ok(table)
    }

    /// Puts a comment before the table that follows `position`, or at the end of the text.
    fn put_before_next(&mut self, position: Option<isize>, comment: &str) {
        let tables = self.toml.iter_mut().flat_map(|(_, item)| match item {
            Item::Table(table) => vec![table],
            Item::ArrayOfTables(tables) => tables.iter_mut().collect(),
            _ => Vec::new(),
        });
        let next = tables.filter(|table| table.position() > position).min_by_key(|table| table.position());
        match next {
            Some(table) => {
                let prefix = format!("{comment}{}", prefix_of(table));
                table.decor_mut().set_prefix(prefix);
            }
            None => {
                let trailing = format!("{comment}{}", self.toml.trailing().as_str().unwrap_or_default());
                self.toml.set_trailing(trailing);
            }
        }
    }

    /// Takes a key of a field away, and remembers it as it was written.
    ///
    /// # Errors
    /// As [`Document::field`].
    pub fn drop_key(&mut self, idx: usize, key: &str) -> Result<()> {
        if let Some(item) = self.field(idx)?.remove(key) {
            self.dropped.push(format!("{key} = {}", item.to_string().trim()));
        }
        Ok(())
    }
}

/// Lets tables within a field follow it wherever it goes.
fn unplace(table: &mut Table, is_inner: bool) {
    if is_inner {
        table.set_position(None);
    }
    for (_, item) in table.iter_mut() {
        if let Item::Table(inner) = item {
            unplace(inner, true);
        }
    }
}

/// The comments and empty lines before a table.
pub fn prefix_of(table: &Table) -> String {
    table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or("\n").to_owned()
}

/// Gives a key a value in its place in the text, with the comment behind it.
pub fn set_value(table: &mut dyn toml_edit::TableLike, key: &str, mut value: Value) {
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        Some(item) => *item = Item::Value(value),
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

/// The same of numbers in a list; numbers that do not change stay as they are written.
pub fn set_numbers(table: &mut dyn toml_edit::TableLike, key: &str, numbers: &[f64]) {
    match table.get_mut(key).and_then(Item::as_array_mut) {
        Some(list) if list.len() == numbers.len() => write_numbers(list, numbers),
        _ => set_value(table, key, Value::Array(numbers.iter().map(|n| number(*n)).collect())),
    }
}

/// Writes numbers over those of a list as long.
pub fn write_numbers(list: &mut toml_edit::Array, numbers: &[f64]) {
    for (idx, wanted) in numbers.iter().enumerate() {
        if list.get(idx).and_then(float_of).is_none_or(|old| (old - wanted).abs() > 1e-9) {
            list.replace(idx, number(*wanted));
        }
    }
}

/// A number as people write it: without a point where it is whole.
pub fn number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 { Value::from(number as i64) } else { Value::from(number) }
}

/// A number, whole or not.
pub fn float_of(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
}

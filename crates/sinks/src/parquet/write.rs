//! Rows of typed cells -> a Parquet file, in groups of rows.

use std::{io::Write, sync::Arc};

use parquet::{
    basic::{Compression, LogicalType, Repetition, Type as PhysicalType},
    data_type::{BoolType, ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type},
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::{Type, TypePtr},
};

use formread_raster::error::{Error, Result};

use super::fault;
use crate::form::ColumnType;

/// Rows of a group: some megabytes. The bytes of a file depend on it.
const GROUP_ROWS: usize = 1 << 15;
/// Bytes of a decimal number.
const DECIMAL_BYTES: usize = 16;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A decimal number: digits in all, and behind the point.
    Decimal(usize, usize),
    /// A day.
    Date,
    /// True or false.
    Boolean,
}

/// A cell.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    Null,
    Text(&'a str),
    Integer(i64),
    /// Units of the last decimal.
    Decimal(i128),
    /// Days since 1970-01-01.
    Date(i32),
    Boolean(bool),
}

impl<'a> Cell<'a> {
    /// A text; nothing where it is empty.
    pub fn text(text: &'a str) -> Self {
        if text.is_empty() { Self::Null } else { Self::Text(text) }
    }
}

impl Kind {
    /// The type of a column of accepted values.
    pub fn of(column: ColumnType) -> Self {
        match column {
            ColumnType::Integer { .. } if column.fits_i64() => Self::Integer,
            ColumnType::Integer { digits } => Self::Decimal(digits, 0),
            ColumnType::Amount { digits, decimals } => Self::Decimal(digits, decimals),
            ColumnType::Date => Self::Date,
            ColumnType::Mark => Self::Boolean,
            ColumnType::Text => Self::Text,
        }
    }

    fn schema(self, name: &str) -> Result<TypePtr> {
        let (physical, logical) = match self {
            Self::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            Self::Integer => (PhysicalType::INT64, None),
            Self::Decimal(digits, decimals) => {
                let [digits, decimals] = [digits, decimals].map(|n| i32::try_from(n).unwrap_or(i32::MAX));
                (PhysicalType::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(decimals, digits)))
            }
            Self::Date => (PhysicalType::INT32, Some(LogicalType::Date)),
            Self::Boolean => (PhysicalType::BOOLEAN, None),
        };
        let mut builder = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        if let Self::Decimal(digits, decimals) = self {
            let [length, digits, decimals] =
                [DECIMAL_BYTES, digits, decimals].map(|n| i32::try_from(n).unwrap_or(i32::MAX));
            builder = builder.with_length(length).with_precision(digits).with_scale(decimals);
        }
        builder.build().map(Arc::new).map_err(fault)
    }
}

/// A column of the group that is being filled.
struct Column {
    values: Values,
    /// One a row: 1 where it has a value.
    levels: Vec<i16>,
}

enum Values {
    /// All texts one after the other, and where each ends.
    Text(Vec<u8>, Vec<usize>),
    Integer(Vec<i64>),
    Decimal(Vec<FixedLenByteArray>),
    Date(Vec<i32>),
    Boolean(Vec<bool>),
}

impl Column {
    fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text => Values::Text(Vec::new(), Vec::new()),
            Kind::Integer => Values::Integer(Vec::new()),
            Kind::Decimal(..) => Values::Decimal(Vec::new()),
            Kind::Date => Values::Date(Vec::new()),
            Kind::Boolean => Values::Boolean(Vec::new()),
        };
        Self { values, levels: Vec::new() }
    }

    fn push(&mut self, cell: Cell<'_>) -> Result<()> {
        self.levels.push(i16::from(!matches!(cell, Cell::Null)));
        match (&mut self.values, cell) {
            (_, Cell::Null) => {}
            (Values::Text(bytes, ends), Cell::Text(text)) => {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len());
            }
            (Values::Integer(values), Cell::Integer(value)) => values.push(value),
            (Values::Decimal(values), Cell::Decimal(value)) => {
                values.push(FixedLenByteArray::from(value.to_be_bytes().to_vec()));
            }
            (Values::Date(values), Cell::Date(value)) => values.push(value),
            (Values::Boolean(values), Cell::Boolean(value)) => values.push(value),
            _ => return Err(Error::internal("a cell of another type than its column")),
        }
        Ok(())
    }

    /// Writes all values and empties the column.
    fn write(&mut self, mut writer: SerializedColumnWriter<'_>) -> Result<()> {
        let levels = std::mem::take(&mut self.levels);
        let levels = Some(&levels[..]);
        match &mut self.values {
            Values::Text(bytes, ends) => {
                let bytes = ByteArray::from(std::mem::take(bytes));
                let mut start = 0;
                let texts = ends.drain(..).map(|end| {
                    let text = bytes.slice(start, end - start);
                    start = end;
                    text
                });
                let texts: Vec<ByteArray> = texts.collect();
                writer.typed::<ByteArrayType>().write_batch(&texts, levels, None).map_err(fault)?;
            }
            Values::Integer(values) => {
                writer.typed::<Int64Type>().write_batch(&std::mem::take(values), levels, None).map_err(fault)?;
            }
            Values::Decimal(values) => {
                let values = std::mem::take(values);
                writer.typed::<FixedLenByteArrayType>().write_batch(&values, levels, None).map_err(fault)?;
            }
            Values::Date(values) => {
                writer.typed::<Int32Type>().write_batch(&std::mem::take(values), levels, None).map_err(fault)?;
            }
            Values::Boolean(values) => {
                writer.typed::<BoolType>().write_batch(&std::mem::take(values), levels, None).map_err(fault)?;
            }
        }
        writer.close().map_err(fault)
    }
}

/// A Parquet file that is being written.
pub struct Table<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Column>,
    n_rows: usize,
}

impl<W: Write + Send> Table<W> {
    /// Begins a file with these columns and this metadata.
    ///
    /// # Errors
    /// Where it cannot be written to.
    pub fn new(file: W, columns: &[(&str, Kind)], metadata: &[(&str, &str)]) -> Result<Self> {
        let fields = columns.iter().map(|(name, kind)| kind.schema(name)).collect::<Result<_>>()?;
        let schema = Type::group_type_builder("formread").with_fields(fields).build().map_err(fault)?;
        let metadata = metadata.iter().map(|&(key, value)| KeyValue::new(key.to_owned(), value.to_owned()));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by("formread".to_owned())
            .set_key_value_metadata(Some(metadata.collect()))
            .build();
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).map_err(fault)?;
        let columns = columns.iter().map(|&(_, kind)| Column::new(kind)).collect();
        Ok(Self { writer, columns, n_rows: 0 })
    }

    /// Appends a row.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn push<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> Result<()> {
        self.columns.iter_mut().zip(cells).try_for_each(|(column, cell)| column.push(cell))?;
        self.n_rows += 1;
        if self.n_rows >= GROUP_ROWS { self.write_group() } else { Ok(()) }
    }

    fn write_group(&mut self) -> Result<()> {
        let mut group = self.writer.next_row_group().map_err(fault)?;
        for column in &mut self.columns {
            let writer = group.next_column().map_err(fault)?;
            column.write(writer.ok_or_else(|| Error::internal("a column too many"))?)?;
        }
        group.close().map_err(fault)?;
        self.n_rows = 0;
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self) -> Result<W> {
        if self.n_rows > 0 {
            self.write_group()?;
        }
        self.writer.into_inner().map_err(fault)
    }
}

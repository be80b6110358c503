//! The columns and rows of a result.

use arrow_schema::{DataType, Schema};
use pgwire::api::Type;
use pgwire::api::portal::Format;
use pgwire::api::results::FieldInfo;

use crate::catalogue::facts;
use crate::error::{Error, Result};
use crate::runtime::Answer;

/// The metadata of a column of the catalogue that holds the oid of its type.
pub(crate) const TYPE_KEY: &str = "psql-gateway.type";
/// The metadata of a column that holds the modifier of its type, such as the length.
pub(crate) const MODIFIER_KEY: &str = "psql-gateway.modifier";

/// The columns of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns(Vec<Column>);

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    of: Type,
    modifier: i32,
}

impl Columns {
    /// The columns of an answer, under the names that PostgreSQL would give them.
    pub(crate) fn new(schema: &Schema, names: Option<&[Option<String>]>) -> Result<Self> {
        let names = names.filter(|names| names.len() == schema.fields().len());
        let columns = schema.fields().iter().enumerate().map(|(index, field)| {
            let name = names.and_then(|names| names[index].clone());
            let name = name.unwrap_or_else(|| field.name().clone());
            let about = |key: &str| field.metadata().get(key)?.parse::<i64>().ok();
            let told = about(TYPE_KEY).and_then(|oid| Type::from_oid(oid.try_into().ok()?));
            let modifier = about(MODIFIER_KEY).and_then(|modifier| modifier.try_into().ok());
            let modifier = modifier.unwrap_or(-1);
            if let Some(of) = told {
                return Ok(Column { name, of, modifier });
            }
            let of = match field.data_type() {
                // A bare NULL is a text in PostgreSQL too.
                DataType::Union(..) | DataType::Null => Type::TEXT,
                _ => arrow_pg::datatypes::field_into_pg_type(field).map_err(|_| {
                    Error::unsupported(format!(
                        "column \"{}\" of the type {} that PostgreSQL does not have",
                        field.name(),
                        field.data_type()
                    ))
                    .hint("Cast it to text.")
                })?,
            };
            Ok(Column { name, of, modifier })
        });
        columns.collect::<Result<_>>().map(Self)
    }

    /// The names of the columns.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(|column| column.name.as_str())
    }

    /// The description of the columns in the formats that were asked for.
    pub(crate) fn fields(&self, format: &Format) -> Result<Vec<FieldInfo>> {
        if let Format::Individual(codes) = format
            && codes.len() != self.0.len()
        {
            return Err(Error::new(
                "08P01",
                format!(
                    "bind message has {} result formats but query has {} columns",
                    codes.len(),
                    self.0.len()
                ),
            ));
        }
        let fields = self.0.iter().enumerate().map(|(index, column)| {
            let (name, of) = (column.name.clone(), column.of.clone());
            FieldInfo::new(name, None, None, of, format.format_for(index))
                .with_type_size(facts::size_of(&column.of))
                .with_type_modifier(column.modifier)
        });
        Ok(fields.collect())
    }
}

/// A result whose rows have not been asked for.
pub(crate) struct Rows {
    pub(crate) columns: Columns,
    pub(crate) answer: Answer,
}

//! Values put together to rows: of the wire protocol, or of `COPY`.
//!
//! A row is written into one buffer, from which it is split off without a copy.

use arrow_pg::encoder::Encoder;
use bytes::{BufMut, BytesMut};
use pgwire::api::results::{FieldFormat, FieldInfo};
use pgwire::error::PgWireResult;
use pgwire::types::ToSqlText;
use postgres_types::{IsNull, ToSql};

use crate::error::Error;

/// How much memory for rows is asked for at a time, in bytes.
const CHUNK: usize = 32 * 1024;

/// How a row is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layout {
    /// As `DataRow` has it: each value behind its length, -1 for NULL.
    Message,
    /// As a binary `COPY` has it: the same behind the number of values.
    Binary,
    /// A line of `COPY`'s text format, or of CSV.
    Line {
        /// Between two values.
        delimiter: u8,
        /// What stands for NULL.
        null: String,
        /// In CSV: what is around a value that would be misread, and what is before that or itself within it.
        quotes: Option<(u8, u8)>,
    },
}

/// Writes values one after the other into rows.
#[derive(Debug)]
pub(crate) struct RowEncoder {
    layout: Layout,
    /// How many values a row has.
    columns: usize,
    /// The next value's column.
    column: usize,
    buffer: BytesMut,
    /// A value that has yet to be looked through for what must be escaped.
    value: BytesMut,
}

impl RowEncoder {
    /// An encoder of rows with so many values.
    pub(crate) fn new(layout: Layout, columns: usize) -> Self {
        Self {
            layout,
            columns,
            column: 0,
            buffer: BytesMut::new(),
            value: BytesMut::new(),
        }
    }

    /// Adds a value as `write` writes it, or NULL if it says so.
    pub(crate) fn value(
        &mut self,
        write: impl FnOnce(&mut BytesMut) -> PgWireResult<IsNull>,
    ) -> PgWireResult<()> {
        let Self { buffer, value, .. } = self;
        let first = self.column == 0;
        self.column += 1;
        if first && buffer.capacity() < CHUNK / 8 {
            buffer.reserve(CHUNK);
        }
        match &self.layout {
            Layout::Message | Layout::Binary => {
                if first && self.layout == Layout::Binary {
                    buffer.put_i16(i16::try_from(self.columns).unwrap_or(i16::MAX));
                }
                let begin = buffer.len();
                buffer.put_i32(-1);
                if let IsNull::No = write(buffer)? {
                    let length = i32::try_from(buffer.len() - begin - 4)
                        .map_err(|_| Error::new("54000", "a value of more than 2 GiB"))?;
                    buffer[begin..begin + 4].copy_from_slice(&length.to_be_bytes());
                }
            }
            Layout::Line {
                delimiter,
                null,
                quotes,
            } => {
                if !first {
                    buffer.put_u8(*delimiter);
                }
                value.clear();
                let is_null = matches!(write(value)?, IsNull::Yes);
                match quotes {
                    _ if is_null => buffer.put_slice(null.as_bytes()),
                    None => put_escaped(value, *delimiter, buffer),
                    Some((quote, escape)) => {
                        let ends_the_data = self.columns == 1 && **value == *b"\\.";
                        let special = [*delimiter, *quote, b'\n', b'\r'];
                        if **value == *null.as_bytes()
                            || ends_the_data
                            || value.iter().any(|byte| special.contains(byte))
                        {
                            put_quoted(value, *quote, *escape, buffer);
                        } else {
                            buffer.put_slice(value);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The row of the values since the last one.
    pub(crate) fn take(&mut self) -> BytesMut {
        self.column = 0;
        if let Layout::Line { .. } = self.layout {
            self.buffer.put_u8(b'\n');
        }
        self.buffer.split()
    }
}

/// In this way `arrow-pg` writes values of all types.
impl Encoder for RowEncoder {
    type Item = BytesMut;

    fn encode_field<T>(&mut self, value: &T, field: &FieldInfo) -> PgWireResult<()>
    where
        T: ToSql + ToSqlText + Sized,
    {
        self.value(|out| {
            let written = match field.format() {
                FieldFormat::Text => {
                    value.to_sql_text(field.datatype(), out, field.format_options())?
                }
                FieldFormat::Binary => value.to_sql(field.datatype(), out)?,
            };
            Ok(written)
        })
    }

    fn take_row(&mut self) -> BytesMut {
        self.take()
    }
}

/// A value of `COPY`'s text format, with a backslash before what would be misread.
fn put_escaped(value: &[u8], delimiter: u8, out: &mut BytesMut) {
    let mut plain = 0;
    for (index, byte) in value.iter().enumerate() {
        let letter = match *byte {
            0x08 => b'b',
            0x0b => b'v',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            b'\\' => b'\\',
            byte if byte == delimiter => byte,
            _ => continue,
        };
        out.put_slice(&value[plain..index]);
        out.put_slice(&[b'\\', letter]);
        plain = index + 1;
    }
    out.put_slice(&value[plain..]);
}

/// A value of CSV between quotes.
fn put_quoted(value: &[u8], quote: u8, escape: u8, out: &mut BytesMut) {
    out.put_u8(quote);
    for byte in value {
        if *byte == quote || *byte == escape {
            out.put_u8(escape);
        }
        out.put_u8(*byte);
    }
    out.put_u8(quote);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(layout: Layout, values: &[Option<&str>]) -> String {
        let mut encoder = RowEncoder::new(layout, values.len());
        for value in values {
            let written = encoder.value(|out| {
                out.put_slice(value.unwrap_or_default().as_bytes());
                Ok(if value.is_some() {
                    IsNull::No
                } else {
                    IsNull::Yes
                })
            });
            written.unwrap();
        }
        String::from_utf8(encoder.take().to_vec()).unwrap()
    }

    #[test]
    fn text_is_escaped_as_postgres_does_it() {
        let layout = |delimiter| Layout::Line {
            delimiter,
            null: "\\N".to_owned(),
            quotes: None,
        };
        for (delimiter, values, expected) in [
            (b'\t', &[Some("a"), None, Some("")][..], "a\t\\N\t\n"),
            (b'\t', &[Some("a\tb\\c\nd\r")], "a\\tb\\\\c\\nd\\r\n"),
            (b'|', &[Some("a|b\tc"), Some("ä")], "a\\|b\\tc|ä\n"),
            (b'\t', &[Some("\u{8}\u{b}\u{c}")], "\\b\\v\\f\n"),
        ] {
            assert_eq!(line(layout(delimiter), values), expected);
        }
    }

    #[test]
    fn csv_tells_null_from_an_empty_text_and_quotes_what_would_be_misread() {
        let layout = |escape, null: &str| Layout::Line {
            delimiter: b',',
            null: null.to_owned(),
            quotes: Some((b'"', escape)),
        };
        for (layout, values, expected) in [
            (layout(b'"', ""), &[Some(""), None][..], "\"\",\n"),
            (
                layout(b'"', "NIL"),
                &[Some("NIL"), None, Some("")],
                "\"NIL\",NIL,\n",
            ),
            (
                layout(b'"', ""),
                &[Some("a,b"), Some("a\"b")],
                "\"a,b\",\"a\"\"b\"\n",
            ),
            (
                layout(b'\\', ""),
                &[Some("a\"\\b"), Some("a\\b")],
                "\"a\\\"\\\\b\",a\\b\n",
            ),
            (layout(b'"', ""), &[Some("a\nb")], "\"a\nb\"\n"),
            (layout(b'"', ""), &[Some("\\.")], "\"\\.\"\n"),
        ] {
            assert_eq!(line(layout, values), expected);
        }
    }
}

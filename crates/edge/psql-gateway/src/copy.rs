//! `COPY … TO STDOUT` and its options.

use std::pin::Pin;

use bytes::{BufMut, BytesMut};
use futures::{Sink, SinkExt, Stream, TryStreamExt};
use pgwire::api::query::send_execution_response;
use pgwire::api::results::Tag;
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};
use postgres_types::IsNull;
use sqlparser::ast::{CopyLegacyCsvOption, CopyLegacyOption, CopyOption};

use crate::error::{Error, Result};
use crate::row_encoder::{Layout, RowEncoder};
use crate::sql;

/// How rows are written.
#[derive(Debug, Clone)]
pub(crate) struct CopyOptions {
    pub(crate) layout: Layout,
    header: bool,
}

impl CopyOptions {
    /// Reads the options in either of their spellings.
    pub(crate) fn parse(options: &[CopyOption], legacy: &[CopyLegacyOption]) -> Result<Self> {
        let mut wished = Wished::default();
        for option in options {
            match option {
                CopyOption::Format(format) => wished.format = Some(sql::folded(format)),
                CopyOption::Delimiter(delimiter) => wished.delimiter = Some(*delimiter),
                CopyOption::Null(null) => wished.null = Some(null.clone()),
                CopyOption::Header(header) => wished.header = *header,
                CopyOption::Quote(quote) => wished.quote = Some(*quote),
                CopyOption::Escape(escape) => wished.escape = Some(*escape),
                CopyOption::Encoding(encoding)
                    if encoding.to_uppercase().replace('-', "") == "UTF8" => {}
                other => return Err(unsupported(other)),
            }
        }
        for option in legacy {
            match option {
                CopyLegacyOption::Binary => wished.format = Some("binary".to_owned()),
                CopyLegacyOption::Delimiter(delimiter) => wished.delimiter = Some(*delimiter),
                CopyLegacyOption::Null(null) => wished.null = Some(null.clone()),
                CopyLegacyOption::Header => wished.header = true,
                CopyLegacyOption::Csv(options) => {
                    wished.format = Some("csv".to_owned());
                    for option in options {
                        match option {
                            CopyLegacyCsvOption::Header => wished.header = true,
                            CopyLegacyCsvOption::Quote(quote) => wished.quote = Some(*quote),
                            CopyLegacyCsvOption::Escape(escape) => wished.escape = Some(*escape),
                            other => return Err(unsupported(other)),
                        }
                    }
                }
                other => return Err(unsupported(other)),
            }
        }
        wished.check()
    }

    /// The line with the names of the columns, if one was asked for.
    pub(crate) fn header_line<'a>(
        &self,
        names: impl Iterator<Item = &'a str> + Clone,
    ) -> PgWireResult<Option<BytesMut>> {
        if !self.header || self.layout == Layout::Binary {
            return Ok(None);
        }
        let mut line = RowEncoder::new(self.layout.clone(), names.clone().count());
        for name in names {
            line.value(|out| {
                out.put_slice(name.as_bytes());
                Ok(IsNull::No)
            })?;
        }
        Ok(Some(line.take()))
    }
}

/// Rows on their way to a client that copies them.
pub(crate) struct Copied {
    pub(crate) binary: bool,
    pub(crate) columns: usize,
    pub(crate) header: Option<BytesMut>,
    pub(crate) rows: Pin<Box<dyn Stream<Item = PgWireResult<BytesMut>> + Send>>,
}

/// What a binary copy begins with: the signature, no flags, no more header.
const BINARY_HEADER: &[u8] = b"PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with: a row of -1 columns.
const BINARY_TRAILER: &[u8] = &[0xFF, 0xFF];

impl Copied {
    /// Sends all of them as they come.
    pub(crate) async fn send<C>(mut self, client: &mut C) -> PgWireResult<()>
    where
        C: Sink<PgWireBackendMessage> + Unpin + Send,
        C::Error: std::fmt::Debug,
        PgWireError: From<C::Error>,
    {
        let format = i16::from(self.binary);
        let columns = i16::try_from(self.columns).unwrap_or(i16::MAX);
        let begin =
            CopyOutResponse::new(i8::from(self.binary), columns, vec![format; self.columns]);
        client
            .feed(PgWireBackendMessage::CopyOutResponse(begin))
            .await?;
        let data = |bytes| PgWireBackendMessage::CopyData(CopyData::new(bytes));
        if let Some(header) = self.header {
            client.feed(data(header.freeze())).await?;
        }
        // Clients expect it in one message with what follows.
        let mut begin = if self.binary { BINARY_HEADER } else { &[] };
        let mut count = 0;
        while let Some(row) = self.rows.try_next().await? {
            count += 1;
            let row = match std::mem::take(&mut begin) {
                [] => row.freeze(),
                begin => [begin, &row].concat().into(),
            };
            client.feed(data(row)).await?;
        }
        if self.binary {
            let end = [begin, BINARY_TRAILER].concat();
            client.feed(data(end.into())).await?;
        }
        client
            .feed(PgWireBackendMessage::CopyDone(CopyDone::new()))
            .await?;
        send_execution_response(client, Tag::new("COPY").with_rows(count)).await
    }
}

/// Options as they were given.
#[derive(Default)]
struct Wished {
    format: Option<String>,
    delimiter: Option<char>,
    null: Option<String>,
    header: bool,
    quote: Option<char>,
    escape: Option<char>,
}

impl Wished {
    fn check(self) -> Result<CopyOptions> {
        let format = self.format.as_deref().unwrap_or("text");
        let (csv, binary) = match format {
            "text" => (false, false),
            "csv" => (true, false),
            "binary" => (false, true),
            other => {
                return Err(
                    Error::new("22023", format!("COPY format \"{other}\" not recognized"))
                        .hint("Formats are text, csv and binary."),
                );
            }
        };
        if binary && (self.delimiter.is_some() || self.null.is_some() || self.header) {
            return Err(syntax(
                "DELIMITER, NULL and HEADER mean nothing in BINARY mode",
            ));
        }
        if !csv && (self.quote.is_some() || self.escape.is_some()) {
            return Err(syntax(
                "COPY QUOTE and ESCAPE are available only in CSV mode",
            ));
        }
        let (separator, null) = if csv { (',', "") } else { ('\t', "\\N") };
        let delimiter = byte("delimiter", self.delimiter.unwrap_or(separator))?;
        let quote = byte("quote", self.quote.unwrap_or('"'))?;
        let escape = self.escape.map(|escape| byte("escape", escape));
        let escape = escape.unwrap_or(Ok(quote))?;
        let null = self.null.unwrap_or_else(|| null.to_owned());
        let misread = if csv {
            delimiter == quote
        } else {
            delimiter == b'\\' || delimiter == b'.' || delimiter.is_ascii_alphanumeric()
        };
        if misread || matches!(delimiter, b'\n' | b'\r') {
            let delimiter = char::from(delimiter);
            let message = format!("COPY delimiter cannot be {delimiter:?}");
            return Err(Error::new("22023", message));
        }
        if null.contains([char::from(delimiter), '\n', '\r']) {
            let message = "COPY's NULL must contain neither the delimiter nor the end of a line";
            return Err(Error::new("22023", message));
        }
        let line = Layout::Line {
            delimiter,
            null,
            quotes: csv.then_some((quote, escape)),
        };
        Ok(CopyOptions {
            layout: if binary { Layout::Binary } else { line },
            header: self.header,
        })
    }
}

fn byte(what: &str, letter: char) -> Result<u8> {
    u8::try_from(letter)
        .ok()
        .filter(u8::is_ascii)
        .ok_or_else(|| {
            Error::unsupported(format!("COPY {what} must be a single one-byte character"))
        })
}

fn syntax(message: &str) -> Error {
    Error::new("42601", message)
}

fn unsupported(option: &impl std::fmt::Display) -> Error {
    Error::unsupported(format!("COPY option {option}"))
}

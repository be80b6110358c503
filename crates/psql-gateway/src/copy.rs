//! `COPY … TO STDOUT` and its options.

use std::sync::Arc;

use futures::{Sink, SinkExt, TryStreamExt};
use pgwire::api::query::send_execution_response;
use pgwire::api::results::{
    CopyCsvOptions, CopyEncoder, CopyTextOptions, FieldInfo, SendableCopyDataStream, Tag,
};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};
use sqlparser::ast::{CopyLegacyCsvOption, CopyLegacyOption, CopyOption};

use crate::error::{Error, Result};
use crate::sql;

/// How rows are written.
#[derive(Debug, Clone)]
pub(crate) struct CopyOptions {
    pub(crate) format: CopyFormat,
    header: bool,
}

/// One of PostgreSQL's three formats.
#[derive(Debug, Clone)]
pub(crate) enum CopyFormat {
    Binary,
    Text(CopyTextOptions),
    Csv(CopyCsvOptions),
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
    pub(crate) fn header<'a>(&self, names: impl Iterator<Item = &'a str>) -> Option<String> {
        if !self.header {
            return None;
        }
        let line = match &self.format {
            CopyFormat::Binary => return None,
            CopyFormat::Text(options) => names.collect::<Vec<_>>().join(&options.delimiter),
            CopyFormat::Csv(options) => {
                let (quote, escape) = (options.quote.as_str(), options.escape.as_str());
                let quoted = names.map(|name| {
                    if name.contains([',', '\n', '\r'])
                        || name.contains(&*options.delimiter)
                        || name.contains(quote)
                    {
                        format!(
                            "{quote}{}{quote}",
                            name.replace(quote, &format!("{escape}{quote}"))
                        )
                    } else {
                        name.to_owned()
                    }
                });
                quoted.collect::<Vec<_>>().join(&options.delimiter)
            }
        };
        Some(line + "\n")
    }

    /// Something that writes rows so.
    pub(crate) fn encoder(&self, fields: &Arc<Vec<FieldInfo>>) -> CopyEncoder {
        match &self.format {
            CopyFormat::Binary => CopyEncoder::new_binary(fields.clone()),
            CopyFormat::Text(options) => CopyEncoder::new_text(fields.clone(), options.clone()),
            CopyFormat::Csv(options) => CopyEncoder::new_csv(fields.clone(), options.clone()),
        }
    }
}

/// Rows on their way to a client that copies them.
pub(crate) struct Copied {
    pub(crate) binary: bool,
    pub(crate) columns: usize,
    pub(crate) header: Option<String>,
    pub(crate) rows: SendableCopyDataStream,
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
        if let Some(header) = self.header {
            let header = CopyData::new(header.into());
            client.feed(PgWireBackendMessage::CopyData(header)).await?;
        }
        let mut count = 0;
        while let Some(row) = self.rows.try_next().await? {
            count += 1;
            client.feed(PgWireBackendMessage::CopyData(row)).await?;
        }
        if self.binary {
            // The encoder writes the header with the first row.
            let header = if count == 0 { BINARY_HEADER } else { &[] };
            let end = CopyData::new([header, BINARY_TRAILER].concat().into());
            client.feed(PgWireBackendMessage::CopyData(end)).await?;
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
        let letter = |letter: char| letter.to_string().into();
        let format = match self.format.as_deref().unwrap_or("text") {
            "text" => {
                let mut options = CopyTextOptions::default();
                if let Some(delimiter) = self.delimiter {
                    options.delimiter = letter(delimiter);
                }
                if let Some(null) = self.null {
                    options.null_string = null.into();
                }
                CopyFormat::Text(options)
            }
            "csv" => {
                let mut options = CopyCsvOptions::default();
                if let Some(delimiter) = self.delimiter {
                    options.delimiter = letter(delimiter);
                }
                if let Some(quote) = self.quote {
                    options.quote = letter(quote);
                    options.escape = letter(quote);
                }
                if let Some(escape) = self.escape {
                    options.escape = letter(escape);
                }
                if let Some(null) = self.null {
                    options.null_string = null.into();
                }
                CopyFormat::Csv(options)
            }
            "binary" => CopyFormat::Binary,
            other => {
                return Err(
                    Error::new("22023", format!("COPY format \"{other}\" not recognized"))
                        .hint("Formats are text, csv and binary."),
                );
            }
        };
        Ok(CopyOptions {
            format,
            header: self.header,
        })
    }
}

fn unsupported(option: &impl std::fmt::Display) -> Error {
    Error::unsupported(format!("COPY option {option}"))
}

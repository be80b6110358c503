//! Dates and times as PostgreSQL writes them.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array};
use arrow_cast::cast::{CastOptions, cast_with_options};
use arrow_cast::display::FormatOptions;
use arrow_schema::{ArrowError, DataType, TimeUnit};
use bytes::{BufMut, BytesMut};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Timelike};
use pgwire::api::Type;
use pgwire::api::results::FieldFormat;

use crate::zone::Zone;

/// A value that does not fit is an error.
pub(crate) const CHECKED: CastOptions<'_> = CastOptions {
    safe: false,
    format_options: FormatOptions::new(),
};

/// 2000-01-01, from which PostgreSQL counts, in days and in microseconds since 1970.
const FIRST_DAY: i64 = 10_957;
const FIRST_MICROSECOND: i64 = FIRST_DAY * 86_400_000_000;

/// A column of dates or times.
#[derive(Debug)]
pub(crate) struct Moments {
    /// Days since 1970, or microseconds since 1970 or midnight.
    values: Int64Array,
    of: Type,
    zone: Arc<Zone>,
}

impl Moments {
    /// The column, if it is one of dates or times. An error if one of them is further away than 64 bits of microseconds.
    pub(crate) fn new(
        array: &ArrayRef,
        of: &Type,
        zone: &Arc<Zone>,
    ) -> Result<Option<Self>, ArrowError> {
        let unit = match (of, array.data_type()) {
            (&Type::DATE, DataType::Date32) => DataType::Int32,
            (&Type::DATE, DataType::Date64) => DataType::Date32,
            (&Type::TIME, DataType::Time32(_) | DataType::Time64(_)) => {
                DataType::Time64(TimeUnit::Microsecond)
            }
            (&(Type::TIMESTAMP | Type::TIMESTAMPTZ), DataType::Timestamp(_, zone)) => {
                DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
            }
            _ => return Ok(None),
        };
        let mut array = cast_with_options(array, &unit, &CHECKED)?;
        for next in [DataType::Int32, DataType::Int64] {
            if next == DataType::Int64 || unit == DataType::Date32 {
                array = cast_with_options(&array, &next, &CHECKED)?;
            }
        }
        Ok(Some(Self {
            values: array.as_primitive::<Int64Type>().clone(),
            of: of.clone(),
            zone: Arc::clone(zone),
        }))
    }

    /// Whether a row has no value.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.values.is_null(row)
    }

    /// Writes the value of a row; nothing is answered if PostgreSQL has no such value.
    pub(crate) fn put(&self, row: usize, format: FieldFormat, out: &mut BytesMut) -> Option<()> {
        let value = self.values.value(row);
        match (format, &self.of) {
            (FieldFormat::Binary, &Type::DATE) => {
                out.put_i32(i32::try_from(value.checked_sub(FIRST_DAY)?).ok()?);
            }
            (FieldFormat::Binary, &Type::TIME) => out.put_i64(value),
            (FieldFormat::Binary, _) => out.put_i64(value.checked_sub(FIRST_MICROSECOND)?),
            (FieldFormat::Text, &Type::DATE) => {
                let date = NaiveDate::default().checked_add_signed(TimeDelta::try_days(value)?)?;
                put_date(date, out)?;
                put_era(date, out);
            }
            (FieldFormat::Text, &Type::TIME) => {
                put_time(NaiveTime::MIN + TimeDelta::microseconds(value), out);
            }
            (FieldFormat::Text, of) => {
                let utc = DateTime::from_timestamp_micros(value)?;
                let time = match *of {
                    Type::TIMESTAMPTZ => self.zone.local(utc)?,
                    _ => utc.fixed_offset(),
                };
                let local = time.naive_local();
                put_date(local.date(), out)?;
                out.put_u8(b' ');
                put_time(local.time(), out);
                if *of == Type::TIMESTAMPTZ {
                    out.put_slice(crate::zone::shown(time.offset().local_minus_utc()).as_bytes());
                }
                put_era(local.date(), out);
            }
        }
        Some(())
    }
}

fn put_date(date: NaiveDate, out: &mut BytesMut) -> Option<()> {
    // The year before 1 is 1 BC.
    let year = if date.year() > 0 {
        date.year()
    } else {
        1 - date.year()
    };
    write!(out, "{year:04}-{:02}-{:02}", date.month(), date.day()).ok()
}

fn put_era(date: NaiveDate, out: &mut BytesMut) {
    if date.year() <= 0 {
        out.put_slice(b" BC");
    }
}

fn put_time(time: NaiveTime, out: &mut BytesMut) {
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    let _ = write!(out, "{hour:02}:{minute:02}:{second:02}");
    let microseconds = time.nanosecond() / 1_000;
    if microseconds > 0 {
        let fraction = format!(".{microseconds:06}");
        out.put_slice(fraction.trim_end_matches('0').as_bytes());
    }
}

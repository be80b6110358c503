//! Literals and identifiers, from the text of a query to its syntax tree and back, without a change.
//!
//! The endpoint of the runtime takes a text, so whatever stands in a query, or was bound to it, is printed and read again. The
//! printer of `sqlparser` does not know whether a text of its tree is escaped already, and leaves alone what looks as if it
//! were: `\'` and `''`. So texts and identifiers are escaped here, and what is printed is compared with what was meant.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Ident, Query, Statement, UnaryOperator, Value, ValueWithSpan, VisitMut, VisitorMut,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

use crate::error::{Error, Result};
use crate::{bounds, sql};

/// Joins literals that stand on lines of their own, `'a'` and `'b'`, to one, as SQL wants it. On one line they are a mistake,
/// which the parser would take for an alias.
pub(crate) fn join_adjacent(tokens: Vec<TokenWithSpan>, sql: &str) -> Result<Vec<TokenWithSpan>> {
    let mut joined: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    // Where in `joined` the last token that is no white space is, and whether a line has ended since.
    let mut last: Option<usize> = None;
    let mut new_line = false;
    for token in tokens {
        match &token.token {
            Token::Whitespace(Whitespace::Newline | Whitespace::SingleLineComment { .. }) => {
                new_line = true;
            }
            Token::Whitespace(_) => {}
            Token::SingleQuotedString(text) => {
                match last.map(|at| &mut joined[at].token) {
                    Some(Token::SingleQuotedString(before)) if new_line => {
                        before.push_str(text);
                        continue;
                    }
                    // Its escapes would go on in the second part, which has been read without them.
                    Some(Token::EscapedStringLiteral(before))
                        if new_line && !text.contains('\\') =>
                    {
                        before.push_str(text);
                        continue;
                    }
                    Some(
                        Token::SingleQuotedString(_)
                        | Token::EscapedStringLiteral(_)
                        | Token::UnicodeStringLiteral(_)
                        | Token::NationalStringLiteral(_)
                        | Token::HexStringLiteral(_)
                        | Token::DollarQuotedString(_),
                    ) => {
                        let error = Error::new("42601", "syntax error: a literal after a literal");
                        return Err(error.at(sql, token.span.start));
                    }
                    _ => {}
                }
                last = Some(joined.len());
                new_line = false;
            }
            _ => {
                last = Some(joined.len());
                new_line = false;
            }
        }
        joined.push(token);
    }
    Ok(joined)
}

/// Makes all kinds of text literals, `E'…'`, `U&'…'`, `N'…'` and `$$…$$`, the plain one.
pub(crate) fn make_plain(statement: &mut Statement) {
    let _: ControlFlow<()> = statement.visit(&mut Plain);
}

struct Plain;

impl VisitorMut for Plain {
    type Break = ();

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<()> {
        let text = match &mut value.value {
            Value::EscapedStringLiteral(text)
            | Value::UnicodeStringLiteral(text)
            | Value::NationalStringLiteral(text) => std::mem::take(text),
            Value::DollarQuotedString(text) => std::mem::take(&mut text.value),
            _ => return ControlFlow::Continue(()),
        };
        value.value = Value::SingleQuotedString(text);
        ControlFlow::Continue(())
    }
}

/// The text of a query, which the runtime and SQLite read as the same literals and identifiers.
pub(crate) fn print(mut query: Query) -> Result<String> {
    let mut escaper = Escaper::default();
    sql::walked(query.visit(&mut escaper))?;
    let text = query.to_string();
    // DataFusion reads by this dialect unless it is told otherwise.
    let tokens = Tokenizer::new(&GenericDialect {}, &text).tokenize();
    let otherwise = || {
        Error::unsupported("this query: a part of it would be read otherwise than it was written")
    };
    let tokens = tokens.map_err(|_| otherwise())?;
    bounds::check_brackets(&tokens)?;
    if read_back(tokens) != Some(sorted(escaper.meant)) {
        return Err(otherwise());
    }
    Ok(text)
}

/// A text or identifier that is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Meant {
    Text(String),
    Identifier(String),
    Bytes(String),
}

fn sorted(mut meant: Vec<Meant>) -> Vec<Meant> {
    meant.sort_unstable();
    meant
}

/// The texts and quoted identifiers that whoever reads a text finds; nothing if it also finds something that is never meant.
fn read_back(tokens: Vec<Token>) -> Option<Vec<Meant>> {
    let mut found = Vec::new();
    for token in tokens {
        found.push(match token {
            Token::SingleQuotedString(text) => Meant::Text(text),
            Token::Word(word) if word.quote_style.is_some() => Meant::Identifier(word.value),
            Token::HexStringLiteral(digits) => Meant::Bytes(digits),
            Token::DoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::DoubleQuotedByteStringLiteral(_)
            | Token::SemiColon
            | Token::Whitespace(
                Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_),
            ) => return None,
            _ => continue,
        });
    }
    Some(sorted(found))
}

/// Puts texts and identifiers into the tree as they are to be printed, by nodes that are printed as they are.
#[derive(Default)]
struct Escaper {
    meant: Vec<Meant>,
}

impl VisitorMut for Escaper {
    type Break = Error;

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<Error> {
        let printed = match &mut value.value {
            Value::SingleQuotedString(text) => {
                refuse_nul(text)?;
                let printed = format!("'{}'", text.replace('\'', "''"));
                self.meant.push(Meant::Text(std::mem::take(text)));
                printed
            }
            Value::HexStringLiteral(digits) => {
                if digits.len() % 2 != 0 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    let message = "a hexadecimal literal needs two digits for each byte";
                    return ControlFlow::Break(Error::new("22P02", message));
                }
                let printed = format!("X'{digits}'");
                self.meant.push(Meant::Bytes(std::mem::take(digits)));
                printed
            }
            // `1_000`, which the runtime does not know.
            Value::Number(digits, _) => digits.replace('_', ""),
            Value::Boolean(_) | Value::Null => return ControlFlow::Continue(()),
            other => {
                return ControlFlow::Break(Error::unsupported(format!("the literal {other}")));
            }
        };
        value.value = Value::Placeholder(printed);
        ControlFlow::Continue(())
    }

    fn pre_visit_ident(&mut self, ident: &mut Ident) -> ControlFlow<Error> {
        let meant = match ident.quote_style {
            Some(_) => ident.value.clone(),
            None if is_plain(&ident.value) => return ControlFlow::Continue(()),
            // Beyond ASCII, dialects differ in what a name may be made of.
            None => ident.value.to_lowercase(),
        };
        refuse_nul(&meant)?;
        ident.value = format!("\"{}\"", meant.replace('"', "\"\""));
        ident.quote_style = None;
        self.meant.push(Meant::Identifier(meant));
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        // `- -1` would be printed as `--1`, which begins a comment.
        if let Expr::UnaryOp { op, expr: operand } = expr
            && *op != UnaryOperator::Not
            && begins_with_an_operator(operand)
        {
            **operand = Expr::Nested(Box::new(sql::take(operand)));
        }
        ControlFlow::Continue(())
    }
}

fn begins_with_an_operator(expr: &Expr) -> bool {
    let is_signed = |digits: &str| digits.starts_with(['-', '+']);
    matches!(expr, Expr::UnaryOp { .. }) || sql::digits(expr).is_some_and(is_signed)
}

fn is_plain(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$')
        && !name.starts_with(|first: char| first.is_ascii_digit() || first == '$')
}

fn refuse_nul(text: &str) -> ControlFlow<Error> {
    if text.contains('\0') {
        return ControlFlow::Break(nul());
    }
    ControlFlow::Continue(())
}

/// PostgreSQL's refusal of the one character that its texts cannot hold.
pub(crate) fn nul() -> Error {
    Error::new("22021", "invalid byte sequence for encoding \"UTF8\": 0x00")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use proptest::prelude::*;
    use sqlparser::ast::{SelectItem, SetExpr};

    use super::*;
    use crate::parse;

    /// Texts of everything that means something to someone who reads SQL.
    fn hostile() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            4 => prop::sample::select(vec![
                "'", "''", "\\", "\\'", "\"", "\"\"", "--", "/*", "*/", ";", "$$", "$1", "$a$", "E'", "U&'", "x'", "\n", "\r",
                "\t", " or 1=1 ", "`", "[", "]", "{", "}", "%", "_", "?", ":x", "@", "#", "\u{feff}", "\u{2019}", "\u{2028}",
                "\u{ff07}", "\u{1f600}", "a", "1",
            ])
            .prop_map(str::to_owned),
            1 => "[^\0]{0,4}",
        ];
        proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    /// The query's only output column.
    fn first(query: &Query) -> SelectItem {
        let SetExpr::Select(select) = &*query.body else {
            panic!("{query}");
        };
        select.projection[0].clone()
    }

    fn text_of(sql: &str) -> String {
        let query = parse::query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        match first(&query) {
            SelectItem::UnnamedExpr(Expr::Value(value)) => match value.value {
                Value::SingleQuotedString(text) => text,
                other => panic!("{sql}: {other:?}"),
            },
            other => panic!("{sql}: {other:?}"),
        }
    }

    /// What whoever reads the printed query finds in it.
    fn printed(sql: &str) -> Vec<Meant> {
        let query = parse::query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let text = print(query).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let tokens = Tokenizer::new(&GenericDialect {}, &text).tokenize();
        read_back(tokens.unwrap()).unwrap()
    }

    proptest! {
        #[test]
        fn a_text_is_the_same_in_every_spelling_and_after_printing(text in hostile()) {
            let plain = format!("select '{}'", text.replace('\'', "''"));
            let escaped = format!("select E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
            let mut unicode = "select U&'".to_owned();
            for c in text.chars() {
                let _ = write!(unicode, "\\+{:06X}", u32::from(c));
            }
            unicode.push('\'');
            let dollar = format!("select $q${text}$q$");
            for sql in [plain, escaped, unicode, dollar] {
                if sql.contains("$q$") && text.contains('$') {
                    continue;
                }
                prop_assert_eq!(&text_of(&sql), &text, "{}", sql);
                prop_assert_eq!(printed(&sql), vec![Meant::Text(text.clone())], "{}", sql);
            }
        }

        #[test]
        fn an_identifier_is_the_same_after_printing(name in hostile().prop_filter("names are not empty", |name| !name.is_empty())) {
            let sql = format!("select 1 as \"{}\"", name.replace('"', "\"\""));
            prop_assert_eq!(printed(&sql), vec![Meant::Identifier(name.clone())], "{}", sql);
            let sql = format!("select t.\"{0}\" from t group by \"{0}\"", name.replace('"', "\"\""));
            prop_assert_eq!(printed(&sql), vec![Meant::Identifier(name.clone()), Meant::Identifier(name)], "{}", sql);
        }

        #[test]
        fn bytes_are_the_same_after_printing(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let digits = bytes.iter().fold(String::new(), |mut digits, byte| {
                let _ = write!(digits, "{byte:02x}");
                digits
            });
            prop_assert_eq!(printed(&format!("select x'{digits}'")), vec![Meant::Bytes(digits)]);
        }
    }

    #[test]
    fn literals_that_follow_each_other_are_one_where_a_line_ends_between_them() {
        assert_eq!(text_of("select 'a'\n 'b' -- and\n 'c''d'"), "abc'd");
        assert_eq!(text_of("select E'a\\n'\n'b'"), "a\nb");
        for sql in ["select 'a' 'b'", "select E'a'\n'\\n'", "select $$a$$\n'b'"] {
            let error = parse::statements(sql).unwrap_err();
            assert_eq!(error.code, "42601", "{sql}");
            assert!(error.position.is_some(), "{sql}");
        }
    }

    #[test]
    fn signs_that_follow_each_other_do_not_become_a_comment() {
        for (sql, expected) in [
            ("select - -1", "SELECT -(-1)"),
            ("select - - -1", "SELECT -(-(-1))"),
            ("select 1 - -1", "SELECT 1 - -1"),
            ("select + -1", "SELECT +(-1)"),
        ] {
            assert_eq!(print(parse::query(sql).unwrap()).unwrap(), expected);
        }
    }

    #[test]
    fn what_would_be_read_otherwise_is_not_printed() {
        for (sql, code) in [
            ("select x'0'", "22P02"),
            ("select x'zz'", "22P02"),
            ("select x'00'' or 1=1 --'", "22P02"),
            ("select b'01'", "0A000"),
            ("select 1::foo('a''b')", "0A000"),
        ] {
            let refused = print(parse::query(sql).unwrap());
            assert_eq!(refused.unwrap_err().code, code, "{sql}");
        }
    }

    #[test]
    fn names_beyond_ascii_are_quoted_and_folded() {
        let query = parse::query("select Ärger, Key from t").unwrap();
        assert_eq!(print(query).unwrap(), "SELECT \"ärger\", Key FROM t");
    }

    #[test]
    fn numbers_are_written_without_underscores() {
        let query = parse::query("select 1_000").unwrap();
        assert_eq!(print(query).unwrap(), "SELECT 1000");
    }
}

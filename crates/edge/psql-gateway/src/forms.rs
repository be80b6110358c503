//! Forms of statements that the parser or the runtime does not know, as forms that they know.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Fetch, LimitClause, Query, Statement, UnaryOperator, VisitMut, VisitorMut,
};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};
use crate::sql;

/// `TABLE t` becomes `SELECT * FROM t`, a `FETCH` gets a direction and a `FROM`, a `MOVE` is a `FETCH … INTO MOVE`, and transactions
/// are not `DEFERRABLE`, which has no effect on reading. `TRIM (BOTH FROM x)` says what is trimmed.
pub(crate) fn long_forms(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut long: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    // The last token that is no white space.
    let mut before = Token::SemiColon;
    let mut first = None;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let (is_new, word) = (before == Token::SemiColon, keyword(&token.token));
        let last = keyword(&before);
        if !matches!(token.token, Token::Whitespace(_)) {
            before = token.token.clone();
        }
        let is_move =
            matches!(&token.token, Token::Word(word) if word.value.eq_ignore_ascii_case("move"));
        if is_new && word.is_some() {
            first = word;
        }
        let put = |word: &str| TokenWithSpan::new(Token::make_keyword(word), token.span);
        match word {
            Some(Keyword::DEFERRABLE)
                if matches!(first, Some(Keyword::BEGIN | Keyword::START | Keyword::SET)) =>
            {
                let kept = long.iter().rposition(|token| {
                    let is_not = keyword(&token.token) == Some(Keyword::NOT);
                    !is_not && !matches!(token.token, Token::Whitespace(_) | Token::Comma)
                });
                long.truncate(kept.map_or(0, |kept| kept + 1));
            }
            Some(Keyword::FROM)
                if matches!(
                    last,
                    Some(Keyword::BOTH | Keyword::LEADING | Keyword::TRAILING)
                ) =>
            {
                let space = Token::SingleQuotedString(" ".to_owned());
                long.extend([TokenWithSpan::new(space, token.span), token]);
            }
            Some(Keyword::TABLE) if begins_query(is_new, long.as_slice()) => {
                let all = TokenWithSpan::new(Token::Mul, token.span);
                long.extend([put("SELECT"), all, put("FROM")]);
            }
            _ if is_new && (word == Some(Keyword::FETCH) || is_move) => {
                let mut words = Vec::new();
                while let Some(word) = tokens.next_if(|token| token.token != Token::SemiColon) {
                    if !matches!(word.token, Token::Whitespace(_) | Token::EOF) {
                        words.push(word);
                    }
                }
                let cursor = words.pop();
                words.retain(|word| {
                    !matches!(keyword(&word.token), Some(Keyword::FROM | Keyword::IN))
                });
                let is_bare = match words.as_slice() {
                    [] => true,
                    [word] => keyword(&word.token) == Some(Keyword::FORWARD),
                    _ => false,
                };
                if is_bare {
                    words = vec![put("NEXT")];
                }
                long.push(put("FETCH"));
                long.extend(words);
                if cursor.is_some() {
                    long.push(put("FROM"));
                }
                long.extend(cursor);
                if is_move {
                    long.extend([put("INTO"), put("MOVE")]);
                }
            }
            _ => long.push(token),
        }
    }
    long
}

fn keyword(token: &Token) -> Option<Keyword> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

/// Whether a query can begin after these tokens.
fn begins_query(is_new: bool, before: &[TokenWithSpan]) -> bool {
    let mut before = before.iter().rev().map(|token| &token.token);
    let last = before.find(|token| !matches!(token, Token::Whitespace(_)));
    let can_begin = |last: &Token| {
        use Keyword::{ALL, ANALYZE, EXCEPT, EXPLAIN, FOR, INTERSECT, UNION};
        let after = [UNION, ALL, EXCEPT, INTERSECT, FOR, EXPLAIN, ANALYZE];
        matches!(last, Token::LParen | Token::RParen)
            || keyword(last).is_some_and(|word| after.contains(&word))
    };
    is_new || last.is_some_and(can_begin)
}

/// `FETCH FIRST n ROWS ONLY` becomes a `LIMIT`, and no limit is written as none. Negative ones are refused.
pub(crate) fn make_limits(statement: &mut Statement) -> Result<()> {
    sql::walked(statement.visit(&mut Limits))
}

struct Limits;

impl VisitorMut for Limits {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        sql::flow(limits(query))
    }
}

fn limits(query: &mut Query) -> Result<()> {
    if let Some(Fetch {
        with_ties,
        percent,
        quantity,
    }) = query.fetch.take()
    {
        if with_ties || percent {
            return Err(Error::unsupported("FETCH FIRST with TIES or PERCENT")
                .hint("Use LIMIT, or rank() in a subquery."));
        }
        let wanted = quantity.unwrap_or_else(|| sql::number("1"));
        match query.limit_clause.get_or_insert(LimitClause::LimitOffset {
            limit: None,
            offset: None,
            limit_by: Vec::new(),
        }) {
            LimitClause::LimitOffset {
                limit: limit @ None,
                ..
            } => *limit = Some(wanted),
            _ => return Err(Error::new("42601", "multiple LIMIT clauses not allowed")),
        }
    }
    let Some(LimitClause::LimitOffset { limit, offset, .. }) = &mut query.limit_clause else {
        return Ok(());
    };
    // PostgreSQL reads a text as a number here.
    for number in limit
        .iter_mut()
        .chain(offset.as_mut().map(|offset| &mut offset.value))
    {
        if let Some(digits) = sql::text(number)
            && digits.trim().parse::<u64>().is_ok()
        {
            *number = sql::number(digits.trim());
        }
    }
    if limit.as_ref().is_some_and(is_negative) {
        return Err(Error::new("2201W", "LIMIT must not be negative"));
    }
    if (offset.as_ref()).is_some_and(|offset| is_negative(&offset.value)) {
        return Err(Error::new("2201X", "OFFSET must not be negative"));
    }
    limit.take_if(|limit| sql::is_null(limit));
    offset.take_if(|offset| sql::is_null(&offset.value));
    if limit.is_none() && offset.is_none() {
        query.limit_clause = None;
    }
    Ok(())
}

fn is_negative(expr: &Expr) -> bool {
    match expr {
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => matches!(&**expr, Expr::Value(_)) && sql::digits(expr) != Some("0"),
        Expr::Nested(expr) => is_negative(expr),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::parse;

    #[test]
    fn forms_of_postgres_become_forms_that_the_runtime_knows() {
        for (asked, expected) in [
            ("table state", "SELECT * FROM state"),
            ("TABLE state limit 1", "SELECT * FROM state LIMIT 1"),
            (
                "select 1 union all table \"table\"",
                "SELECT 1 UNION ALL SELECT * FROM \"table\"",
            ),
            (
                "explain (analyze) table t",
                "EXPLAIN (analyze) SELECT * FROM t",
            ),
            (
                "copy (table state) to stdout",
                "COPY (SELECT * FROM state) TO STDOUT",
            ),
            ("select a fetch first 2 rows only", "SELECT a LIMIT 2"),
            (
                "select a offset 1 fetch next row only",
                "SELECT a LIMIT 1 OFFSET 1",
            ),
            ("select a limit null offset null", "SELECT a"),
            ("select a limit all", "SELECT a"),
            ("select a limit ' 2 '", "SELECT a LIMIT 2"),
            ("select a limit -0", "SELECT a LIMIT -0"),
            (
                "begin isolation level serializable, read only, not deferrable",
                "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY",
            ),
            ("select deferrable from t", "SELECT deferrable FROM t"),
            ("fetch c", "FETCH NEXT FROM c"),
            ("fetch from c; select 1", "FETCH NEXT FROM c"),
            ("FETCH FORWARD IN c", "FETCH NEXT FROM c"),
            ("fetch 3 c", "FETCH 3 FROM c"),
            ("fetch forward 3 from c", "FETCH FORWARD 3 FROM c"),
            ("move c", "FETCH NEXT FROM c INTO MOVE"),
            (
                "Move forward all in c",
                "FETCH FORWARD ALL FROM c INTO MOVE",
            ),
        ] {
            let statement = parse::statements(asked).unwrap().remove(0);
            assert_eq!(statement.to_string(), expected, "{asked}");
        }
        for (asked, code) in [
            ("select a limit -1", "2201W"),
            ("select (select a limit (-1))", "2201W"),
            ("select a offset -1", "2201X"),
            ("select a limit 1 fetch first 2 rows only", "42601"),
            ("select a fetch first 2 rows with ties", "0A000"),
            ("fetch", "42601"),
        ] {
            assert_eq!(
                parse::statements(asked).map_err(|error| error.code),
                Err(code),
                "{asked}"
            );
        }
    }
}

//! Facts about PostgreSQL: its catalogue's tables, types, functions and settings. `facts.sql` wrote them.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use pgwire::api::Type;
use postgres_types::Kind;

/// The part of [`section`] that `facts.sql` writes for NULL.
pub(crate) const NULL: &str = "\\N";

/// The rows of a table, each split into its columns, and before them the names of the columns.
type Rows = std::iter::Map<std::str::Lines<'static>, fn(&'static str) -> Vec<&'static str>>;

/// All tables of the facts, by name.
pub(super) fn sections() -> impl Iterator<Item = (&'static str, Rows)> {
    static SECTIONS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
        let sections = include_str!("facts.tsv").trim_start_matches('@');
        let sections = sections.split("\n@");
        sections.filter_map(|one| one.split_once('\t')).collect()
    });
    let split: fn(&'static str) -> Vec<&'static str> = |row| row.split('\t').collect();
    let sections = SECTIONS.iter();
    sections.map(move |(name, rows)| (*name, rows.lines().map(split)))
}

/// The rows of one table of the facts.
fn section(name: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let found = sections().find(|(other, _)| *other == name);
    found.into_iter().flat_map(|(_, rows)| rows.skip(1))
}

/// What the rows of a table of the facts say, by the oids with which they begin.
fn by_oid<T>(table: &str, read: impl Fn(&[&'static str]) -> T) -> HashMap<u32, T> {
    let rows = section(table).filter_map(|row| Some((row[0].parse().ok()?, read(&row))));
    rows.collect()
}

/// What PostgreSQL knows of a type.
struct Known {
    /// Its name in the catalogue.
    name: &'static str,
    in_sql: &'static str,
    /// `pg_type.typlen`
    size: i16,
    category: &'static str,
    /// Whether it is the preferred one of its category.
    is_preferred: bool,
}

/// A type by its oid.
fn known(oid: u32) -> Option<&'static Known> {
    static TYPES: LazyLock<HashMap<u32, Known>> = LazyLock::new(|| {
        let names = by_oid("type", |row| row[1]);
        let mut types = by_oid("pg_type", |row| Known {
            name: row[1],
            in_sql: "",
            size: row[2].parse().unwrap_or(-1),
            category: row[5],
            is_preferred: row[6] == "1",
        });
        for (oid, known) in &mut types {
            known.in_sql = names.get(oid).copied().unwrap_or(known.name);
        }
        types
    });
    TYPES.get(&oid)
}

/// The oid of the type with the name that the catalogue or SQL gives it.
fn oid_named(name: &str) -> Option<u32> {
    static OIDS: LazyLock<HashMap<&str, u32>> = LazyLock::new(|| {
        let rows = section("type").chain(section("pg_type"));
        let oids = rows.filter_map(|row| Some((row[1], row[0].parse().ok()?)));
        oids.collect()
    });
    OIDS.get(name).copied()
}

/// The built-in type with the name that the catalogue gives it, such as `int4`.
pub(super) fn type_named(name: &str) -> Option<Type> {
    Type::from_oid(oid_named(name)?)
}

/// The built-in type with the name that SQL gives it, such as `integer`, or the catalogue.
pub(crate) fn type_in_sql(name: &str) -> Option<Type> {
    Type::from_oid(oid_in_sql(name)?)
}

/// The oid of the type with such a name, also of the type of a table's rows.
pub(super) fn oid_in_sql(name: &str) -> Option<u32> {
    let mut name = name.to_lowercase();
    // Without the length, precision or scale.
    if let Some((before, after)) = name.split_once('(') {
        name = before.trim_end().to_owned() + after.split_once(')').unwrap_or_default().1;
    }
    let name = name.trim();
    let of_array = name.strip_suffix("[]");
    let element = of_array.unwrap_or(name);
    let (_, element) = element.rsplit_once('.').unwrap_or(("", element));
    let element = match element {
        "int" => "int4",
        "decimal" => "numeric",
        "char" => "bpchar",
        "float" | "double" => "float8",
        other => other,
    };
    match of_array {
        Some(_) => oid_named(&format!("{element}[]")).or_else(|| oid_named(&format!("_{element}"))),
        None => oid_named(element),
    }
}

/// `pg_type.typlen`
pub(crate) fn size_of(of: &Type) -> i16 {
    known(of.oid()).map_or(-1, |known| known.size)
}

/// A table or view, as the catalogue describes it.
pub(super) struct Relation<'a> {
    pub(super) oid: u32,
    pub(super) schema: &'a str,
    pub(super) name: &'a str,
    pub(super) kind: &'a str,
    /// The name and the type of each column, and whether it is never NULL.
    pub(super) columns: Vec<(&'a str, Option<Type>, bool)>,
    /// The definition of a view, and what it says of itself.
    pub(super) definition: Option<&'a str>,
    pub(super) comment: Option<&'a str>,
}

/// The tables and views of the catalogue.
pub(super) fn relations() -> &'static [Relation<'static>] {
    static RELATIONS: LazyLock<Vec<Relation<'_>>> = LazyLock::new(|| {
        let relations = section("relation").map(|row| {
            let columns = row[4].split(',').filter_map(|column| {
                let (name, of) = column.split_once(' ')?;
                let of_type = type_named(of.trim_end_matches('!'));
                Some((name, of_type, of.ends_with('!')))
            });
            Relation {
                oid: row[0].parse().unwrap_or(0),
                schema: row[1],
                name: row[2],
                kind: row[3],
                columns: columns.collect(),
                definition: None,
                comment: None,
            }
        });
        relations.collect()
    });
    &RELATIONS
}

/// The table of the catalogue with this name.
pub(super) fn relation(name: &str) -> Option<&'static Relation<'static>> {
    relations().iter().find(|relation| relation.name == name)
}

/// The columns of a table of the catalogue and their types.
pub(super) fn columns_of(table: &str) -> &'static [(&'static str, Option<Type>, bool)] {
    relation(table).map_or(&[], |relation| &relation.columns)
}

/// The type of the columns of the catalogue that have this name, if it is the same for all.
pub(crate) fn type_of_column(column: &str) -> Option<Type> {
    let columns = relations().iter().flat_map(|relation| &relation.columns);
    let mut types = columns.filter(|(name, ..)| *name == column);
    let (_, first, _) = types.next()?;
    let first = first.as_ref()?;
    let is_same = types.all(|(_, of, _)| of.as_ref() == Some(first));
    is_same.then(|| first.clone())
}

/// The type of arrays whose elements have this type.
pub(crate) fn array_of(element: &Type) -> Option<Type> {
    type_named(&format!("_{}", element.name()))
}

/// The schema of the standard, whose types are not found without it.
pub(super) const STANDARD: &str = "information_schema.";

/// What SQL calls a type.
pub(crate) fn name_in_sql(oid: u32) -> &'static str {
    let unknown = if oid == 0 { "-" } else { "???" };
    known(oid).map_or(unknown, |known| known.in_sql)
}

/// Whether the runtime has nothing like a type, so that only NULL can be of it: ranges, addresses, geometry, bits.
pub(crate) fn is_foreign(of: &Type) -> bool {
    matches!(category(of.oid()).0, "R" | "I" | "G" | "V")
}

/// What PostgreSQL writes for the arguments and for the result of a function.
pub(super) fn signature(oid: u32) -> Option<(&'static str, &'static str)> {
    static SIGNATURES: LazyLock<HashMap<u32, (&str, &str)>> =
        LazyLock::new(|| by_oid("function", |row| (row[1], row[2])));
    SIGNATURES.get(&oid).copied()
}

/// What PostgreSQL says of an object of the catalogue, or of the only one with this oid if no class is named.
pub(super) fn description(oid: u32, class: Option<&str>) -> Option<&'static str> {
    type Texts = HashMap<u32, Vec<(&'static str, &'static str)>>;
    static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
        let classes = by_oid("relation", |row| row[2]);
        let mut texts = Texts::new();
        for row in section("pg_description") {
            let class = row[1].parse().ok().and_then(|class| classes.get(&class));
            if let (Ok(oid), Some(class)) = (row[0].parse(), class) {
                texts.entry(oid).or_default().push((*class, row[3]));
            }
        }
        texts
    });
    let mut texts = TEXTS.get(&oid)?.iter();
    let found = texts.find(|(of, _)| class.is_none_or(|class| class == *of));
    found.map(|(_, text)| *text)
}

/// The name of a role that every PostgreSQL has.
pub(super) fn role(oid: u32) -> Option<&'static str> {
    static ROLES: LazyLock<HashMap<u32, &str>> = LazyLock::new(|| by_oid("pg_roles", |row| row[1]));
    ROLES.get(&oid).copied()
}

/// A function or an operator: the oids of its arguments' types and of its result's.
#[derive(Debug)]
struct Signature {
    oid: u32,
    arguments: Vec<u32>,
    /// How many arguments have defaults.
    defaults: usize,
    /// The type that further arguments have, if there may be any.
    variadic: Option<u32>,
    result: u32,
}

type Signatures = HashMap<&'static str, Vec<Signature>>;

/// All of a table of the facts, by name.
fn signatures(table: &str, read: impl Fn(&[&'static str]) -> Signature) -> Signatures {
    let mut all = Signatures::new();
    for row in section(table) {
        all.entry(row[1]).or_default().push(read(&row));
    }
    all
}

fn oids<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<u32> {
    texts.filter_map(|oid| oid.parse().ok()).collect()
}

/// Whether a parameter suits an argument well.
type Rule<'a> = &'a dyn Fn(u32, &Type) -> bool;

/// The category of a type, and whether it is the preferred one of that.
fn category(oid: u32) -> (&'static str, bool) {
    known(oid).map_or(("X", false), |known| (known.category, known.is_preferred))
}

/// Whether values of a type become those of another without being asked for.
fn is_cast(from: u32, to: u32) -> bool {
    static CASTS: LazyLock<HashSet<(u32, u32)>> = LazyLock::new(|| {
        let casts = section("pg_cast").filter(|row| row[4] == "i");
        let casts = casts.filter_map(|row| Some((row[1].parse().ok()?, row[2].parse().ok()?)));
        casts.collect()
    });
    CASTS.contains(&(from, to))
}

static FUNCTIONS: LazyLock<Signatures> = LazyLock::new(|| {
    signatures("pg_proc", |row| Signature {
        oid: row[0].parse().unwrap_or(0),
        arguments: oids(row[13].split(' ')),
        defaults: row[10].parse().unwrap_or(0),
        variadic: row[11].parse().ok().filter(|oid| *oid != 0),
        result: row[12].parse().unwrap_or(0),
    })
});

/// The oid of a function, of the first one with this name.
pub(super) fn function(name: &str) -> Option<u32> {
    Some(FUNCTIONS.get(name)?.first()?.oid)
}

/// The type that a function returns for arguments of these types. Nothing is known of an argument without a type, and a text or
/// NULL in the query is [`Type::UNKNOWN`].
pub(super) fn result_of(function: &str, given: &[Option<Type>]) -> Option<Type> {
    resolve(FUNCTIONS.get(function)?, given)
}

/// The type of what an operator makes of operands of these types, of which a prefix has one.
pub(super) fn result_of_operator(operator: &str, given: &[Option<Type>]) -> Option<Type> {
    static OPERATORS: LazyLock<Signatures> = LazyLock::new(|| {
        signatures("pg_operator", |row| Signature {
            oid: row[0].parse().unwrap_or(0),
            arguments: oids(row[7..9].iter().copied().filter(|oid| *oid != "0")),
            defaults: 0,
            variadic: None,
            result: row[9].parse().unwrap_or(0),
        })
    });
    let mut given = given.to_vec();
    // A literal has the type of the other operand, if there is such an operator.
    if let [Some(left), Some(right)] = &mut given[..] {
        let is_there = |of: &Type| {
            let mut all = OPERATORS.get(operator).into_iter().flatten();
            all.any(|known| known.arguments == [of.oid(), of.oid()])
        };
        if *left == Type::UNKNOWN && is_there(right) {
            *left = right.clone();
        } else if *right == Type::UNKNOWN && is_there(left) {
            *right = left.clone();
        }
    }
    resolve(OPERATORS.get(operator)?, &given)
}

impl Signature {
    /// The arguments' types, for so many arguments.
    fn parameters(&self, count: usize) -> Option<Vec<u32>> {
        let mut parameters = self.arguments.clone();
        if let Some(more) = self.variadic {
            parameters.pop();
            parameters.resize(count.max(parameters.len() + 1), more);
        }
        let is_enough = count + self.defaults >= parameters.len();
        parameters.truncate(count);
        (is_enough && parameters.len() == count).then_some(parameters)
    }

    /// The result's type, which may depend on the arguments'.
    fn result(&self, given: &[Option<Type>]) -> Option<Type> {
        let result = Type::from_oid(self.result)?;
        let wants_array = is_array(&result);
        if !matches!(result.kind(), Kind::Pseudo) || !is_polymorphic(&result) {
            return Some(result);
        }
        let given = given.iter().zip(&self.arguments);
        let mut found = given.filter_map(|(given, parameter)| {
            let parameter = Type::from_oid(*parameter).filter(is_polymorphic)?;
            let given = given.clone().filter(|given| *given != Type::UNKNOWN)?;
            Some(match given.kind() {
                Kind::Array(element) if is_array(&parameter) => element.clone(),
                _ => given,
            })
        });
        let element = found.next()?;
        if wants_array {
            array_of(&element)
        } else {
            Some(element)
        }
    }
}

fn is_polymorphic(of: &Type) -> bool {
    of.name().starts_with("any")
}

fn is_array(pseudo: &Type) -> bool {
    matches!(*pseudo, Type::ANYARRAY | Type::ANYCOMPATIBLEARRAY)
}

/// Whether a parameter takes an argument.
fn takes(parameter: u32, given: &Type) -> bool {
    if *given == Type::UNKNOWN || parameter == given.oid() || is_cast(given.oid(), parameter) {
        return true;
    }
    let Some(pseudo) = Type::from_oid(parameter).filter(is_polymorphic) else {
        return false;
    };
    let given_array = matches!(given.kind(), Kind::Array(_));
    match pseudo {
        Type::ANY | Type::ANYELEMENT | Type::ANYCOMPATIBLE => true,
        Type::ANYNONARRAY | Type::ANYCOMPATIBLENONARRAY => !given_array,
        _ => is_array(&pseudo) && given_array,
    }
}

/// The result of the one that PostgreSQL chooses: as many arguments as possible have the very types, then preferred ones, and literals
/// are rather texts. Nothing if that leaves several with different results.
fn resolve(all: &[Signature], given: &[Option<Type>]) -> Option<Type> {
    let all = all.iter();
    let all = all.filter_map(|one| Some((one, one.parameters(given.len())?)));
    let mut left: Vec<_> = all.collect();
    left.retain(|(_, parameters)| {
        let mut pairs = parameters.iter().zip(given);
        pairs.all(|(parameter, given)| given.as_ref().is_none_or(|given| takes(*parameter, given)))
    });
    let same = |parameter: u32, given: &Type| parameter == given.oid();
    let preferred = |parameter: u32, given: &Type| {
        let (of, is_preferred) = category(parameter);
        same(parameter, given) || is_preferred && of == category(given.oid()).0
    };
    let texts =
        |parameter: u32, given: &Type| *given == Type::UNKNOWN && category(parameter).0 == "S";
    let text =
        |parameter: u32, given: &Type| *given == Type::UNKNOWN && parameter == Type::TEXT.oid();
    let rules: [Rule<'_>; 4] = [&same, &preferred, &texts, &text];
    for rule in rules {
        let fitting = |parameters: &[u32]| {
            let pairs = parameters.iter().zip(given);
            let pairs = pairs.filter_map(|(parameter, given)| Some((*parameter, given.as_ref()?)));
            pairs
                .filter(|(parameter, given)| rule(*parameter, given))
                .count()
        };
        let most = (left.iter().map(|(_, parameters)| fitting(parameters))).max()?;
        left.retain(|(_, parameters)| fitting(parameters) == most);
    }
    let mut results = left.iter().map(|(one, _)| one.result(given));
    let first = results.next()??;
    let is_same = results.all(|other| other.as_ref() == Some(&first));
    is_same.then_some(first)
}

/// The type of a column that has values of all of these, as of the branches of a `CASE` or a `UNION`.
pub(super) fn common(all: impl IntoIterator<Item = Option<Type>>) -> Option<Type> {
    let mut found = Type::UNKNOWN;
    for of in all {
        let of = of?;
        let (kind, is_preferred) = category(found.oid());
        if found == Type::UNKNOWN {
            found = of;
        } else if of != Type::UNKNOWN && of != found {
            if category(of.oid()).0 != kind {
                return None;
            }
            if !is_preferred && is_cast(found.oid(), of.oid()) && !is_cast(of.oid(), found.oid()) {
                found = of;
            }
        }
    }
    Some(found)
}

/// A setting of PostgreSQL.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) default: &'static str,
    /// The unit of a number: `ms`, `kB`, `8kB` and the like.
    pub(crate) unit: &'static str,
    /// Whether clients can change it.
    pub(crate) is_variable: bool,
    /// `bool`, `integer`, `real`, `enum` or `string`.
    pub(crate) kind: &'static str,
    /// The values of an `enum`: `{a,b}`.
    pub(crate) values: &'static str,
}

/// All settings of PostgreSQL.
pub(crate) fn settings() -> &'static [Setting] {
    static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
        let settings = section("pg_settings").map(|row| Setting {
            name: row[0],
            default: if row[1] == NULL { "" } else { row[1] },
            unit: row[2],
            is_variable: matches!(row[3], "user" | "superuser"),
            kind: row[4],
            values: row[8],
        });
        settings.collect()
    });
    &SETTINGS
}

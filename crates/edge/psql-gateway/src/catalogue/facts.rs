//! Facts about PostgreSQL: its catalogue's tables, types, functions and settings. `facts.sql` wrote them.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use pgwire::api::Type;
use postgres_types::Kind;

/// The part of [`section`] that `facts.sql` writes for NULL.
pub(super) const NULL: &str = "\\N";

/// The rows of a table, each split into its columns, and before them the names of the columns.
type Rows = std::iter::Map<std::str::Lines<'static>, fn(&'static str) -> Vec<&'static str>>;

/// All tables of the facts, by name.
pub(super) fn sections() -> impl Iterator<Item = (&'static str, Rows)> {
    let sections = include_str!("facts.tsv").trim_start_matches('@');
    sections.split("\n@").map(|section| {
        let (name, rows) = section.split_once('\t').unwrap_or((section, ""));
        let split: fn(&'static str) -> Vec<&'static str> = |row| row.split('\t').collect();
        (name, rows.lines().map(split))
    })
}

/// The rows of one table of the facts.
fn section(name: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let found = sections().find(|(other, _)| *other == name);
    found.into_iter().flat_map(|(_, rows)| rows.skip(1))
}

/// The built-in type with the name that the catalogue gives it, such as `int4`.
pub(super) fn type_named(name: &str) -> Option<Type> {
    let oid = oids_of_types().get(name)?;
    Type::from_oid(*oid)
}

/// The oids of types by their names in the catalogue.
fn oids_of_types() -> &'static HashMap<&'static str, u32> {
    static TYPES: LazyLock<HashMap<&str, u32>> = LazyLock::new(|| {
        let types = section("pg_type").filter_map(|row| Some((row[1], row[0].parse().ok()?)));
        types.collect()
    });
    &TYPES
}

/// The built-in type with the name that SQL gives it, such as `integer`, or the catalogue.
pub(crate) fn type_in_sql(name: &str) -> Option<Type> {
    let mut name = name.to_lowercase();
    // Without the length, precision or scale.
    if let Some((before, after)) = name.split_once('(') {
        name = before.trim_end().to_owned() + after.split_once(')').unwrap_or_default().1;
    }
    let name = name.trim();
    let of_array = name.strip_suffix("[]");
    let element = of_array.unwrap_or(name);
    let (_, element) = element.rsplit_once('.').unwrap_or(("", element));
    let long = NAMES.iter().find(|(_, long)| *long == element);
    let short = long.map_or(element, |(short, _)| *short);
    let short = match short {
        "int" => "int4",
        "decimal" => "numeric",
        "char" => "bpchar",
        "\"char\"" => "char",
        "float" | "double" => "float8",
        other => other,
    };
    type_named(&format!("{}{short}", of_array.map_or("", |_| "_")))
}

/// `pg_type.typlen`
pub(crate) fn size_of(of: &Type) -> i16 {
    static SIZES: LazyLock<HashMap<&str, i16>> = LazyLock::new(|| {
        let sizes = section("pg_type").filter_map(|row| Some((row[1], row[2].parse().ok()?)));
        sizes.collect()
    });
    SIZES.get(of.name()).copied().unwrap_or(-1)
}

/// The columns of a table of the catalogue and their types.
pub(super) fn columns_of(table: &str) -> &'static [(&'static str, Option<Type>)] {
    type Columns = Vec<(&'static str, Option<Type>)>;
    static COLUMNS: LazyLock<HashMap<&str, Columns>> = LazyLock::new(|| {
        let mut all = HashMap::new();
        for row in section("relation") {
            let columns = row[4].split(',').filter_map(|column| {
                let (name, of) = column.split_once(' ')?;
                Some((name, type_named(of.trim_end_matches('!'))))
            });
            all.entry(row[2]).or_insert_with(|| columns.collect());
        }
        all
    });
    COLUMNS.get(table).map_or(&[], Vec::as_slice)
}

/// The type of the columns of the catalogue that have this name, if it is the same for all.
pub(crate) fn type_of_column(column: &str) -> Option<Type> {
    let columns = section("relation").flat_map(|row| row[4].split(','));
    let mut types = columns.filter_map(|named| {
        let (name, of) = named.split_once(' ')?;
        (name == column).then(|| of.trim_end_matches('!'))
    });
    let first = types.next()?;
    types.all(|of| of == first).then(|| type_named(first))?
}

/// The type of arrays whose elements have this type.
pub(crate) fn array_of(element: &Type) -> Option<Type> {
    type_named(&format!("_{}", element.name()))
}

/// The names of types in the catalogue and in SQL, where they differ.
const NAMES: [(&str, &str); 15] = [
    ("bool", "boolean"),
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("timestamptz", "timestamp with time zone"),
    ("timestamp", "timestamp without time zone"),
    ("timetz", "time with time zone"),
    ("time", "time without time zone"),
    ("varchar", "character varying"),
    ("bpchar", "character"),
    ("varbit", "bit varying"),
    ("char", "\"char\""),
    // A word of SQL.
    ("any", "\"any\""),
];

/// The schema of the standard, whose types are not found without it.
pub(super) const STANDARD: &str = "information_schema.";

/// What SQL calls a type.
pub(crate) fn name_in_sql(oid: u32) -> String {
    type Known = (&'static str, Option<u32>, bool);
    static TYPES: LazyLock<HashMap<u32, Known>> = LazyLock::new(|| {
        let types = section("pg_type").filter_map(|row| {
            // Vectors have elements too, and names of their own.
            let is_array = row[8] == "array_subscript_handler" && row[18] != "p";
            let element = row[9].parse().ok().filter(|_| is_array);
            Some((row[0].parse().ok()?, (row[1], element, row[20] == "11")))
        });
        types.collect()
    });
    match TYPES.get(&oid) {
        None => if oid == 0 { "-" } else { "???" }.to_owned(),
        Some((_, Some(element), _)) => name_in_sql(*element) + "[]",
        Some((name, None, true)) => {
            let found = NAMES.iter().find(|(short, _)| short == name);
            found.map_or(*name, |(_, long)| *long).to_owned()
        }
        Some((name, None, false)) => STANDARD.to_owned() + name,
    }
}

/// The oid of a type by the name in the catalogue, also of the type of a table's rows.
pub(super) fn oid_of_type(name: &str) -> Option<u32> {
    oids_of_types().get(name).copied()
}

/// The oid of a table of the catalogue.
pub(super) fn oid_of_table(name: &str) -> Option<&'static str> {
    let found = section("relation").find(|row| row[2] == name);
    found.map(|row| row[0])
}

/// Whether the runtime has nothing like a type, so that only NULL can be of it: ranges, addresses, geometry, bits.
pub(crate) fn is_foreign(of: &Type) -> bool {
    matches!(category(of.oid()).0, "R" | "I" | "G" | "V")
}

/// What PostgreSQL writes for the arguments and for the result of a function.
pub(super) fn signature(oid: u32) -> Option<&'static (String, String)> {
    static SIGNATURES: LazyLock<HashMap<u32, (String, String)>> = LazyLock::new(|| {
        let named: HashMap<_, _> = section("function").map(|row| (row[0], row[1])).collect();
        let name = |oid: &str| oid.parse().map_or_else(|_| String::new(), name_in_sql);
        let functions = section("pg_proc").filter_map(|row| {
            let arguments = named.get(row[0]).map(|arguments| (*arguments).to_owned());
            let arguments = arguments.unwrap_or_else(|| {
                let types = row[13].split_whitespace().map(name);
                types.collect::<Vec<_>>().join(", ")
            });
            let set = if row[7] == "1" { "SETOF " } else { "" };
            Some((
                row[0].parse().ok()?,
                (arguments, set.to_owned() + &name(row[12])),
            ))
        });
        functions.collect()
    });
    SIGNATURES.get(&oid)
}

/// What PostgreSQL says of an object of the catalogue, or of the only one with this oid if no class is named.
pub(super) fn description(oid: u32, class: Option<&str>) -> Option<&'static str> {
    type Texts = HashMap<u32, Vec<(&'static str, &'static str)>>;
    static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
        let classes: HashMap<_, _> = section("relation").map(|row| (row[0], row[2])).collect();
        let mut texts = Texts::new();
        for row in section("pg_description") {
            if let (Ok(oid), Some(class)) = (row[0].parse(), classes.get(row[1])) {
                texts.entry(oid).or_default().push((class, row[3]));
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
    static ROLES: LazyLock<HashMap<u32, &str>> = LazyLock::new(|| {
        let roles = section("pg_roles").filter_map(|row| Some((row[0].parse().ok()?, row[1])));
        roles.collect()
    });
    ROLES.get(&oid).copied()
}

/// A function or an operator: the oids of its arguments' types and of its result's.
#[derive(Debug)]
struct Signature {
    arguments: Vec<u32>,
    /// How many arguments have defaults.
    defaults: usize,
    /// The type that further arguments have, if there may be any.
    variadic: Option<u32>,
    result: u32,
}

type Signatures = HashMap<&'static str, Vec<Signature>>;

/// Whether a parameter suits an argument well.
type Rule<'a> = &'a dyn Fn(u32, &Type) -> bool;

/// What PostgreSQL knows of a type besides its name: its category, and whether it is the preferred one of that.
fn category(oid: u32) -> (&'static str, bool) {
    static CATEGORIES: LazyLock<HashMap<u32, (&str, bool)>> = LazyLock::new(|| {
        let types = section("pg_type");
        types
            .filter_map(|row| Some((row[0].parse().ok()?, (row[5], row[6] == "1"))))
            .collect()
    });
    CATEGORIES.get(&oid).copied().unwrap_or(("X", false))
}

/// Whether values of a type become those of another without being asked for.
fn is_cast(from: u32, to: u32) -> bool {
    static CASTS: LazyLock<HashSet<(u32, u32)>> = LazyLock::new(|| {
        let casts = section("pg_cast").filter(|row| row[4] == "i");
        casts
            .filter_map(|row| Some((row[1].parse().ok()?, row[2].parse().ok()?)))
            .collect()
    });
    CASTS.contains(&(from, to))
}

/// The type that a function returns for arguments of these types. Nothing is known of an argument without a type, and a text or
/// NULL in the query is [`Type::UNKNOWN`].
pub(super) fn result_of(function: &str, given: &[Option<Type>]) -> Option<Type> {
    static FUNCTIONS: LazyLock<Signatures> = LazyLock::new(|| {
        let mut functions = Signatures::new();
        for row in section("pg_proc") {
            let arguments = row[13].split(' ').filter_map(|oid| oid.parse().ok());
            functions.entry(row[1]).or_default().push(Signature {
                arguments: arguments.collect(),
                defaults: row[10].parse().unwrap_or(0),
                variadic: row[11].parse().ok().filter(|oid| *oid != 0),
                result: row[12].parse().unwrap_or(0),
            });
        }
        functions
    });
    resolve(FUNCTIONS.get(function)?, given)
}

/// The type of what an operator makes of operands of these types, of which a prefix has one.
pub(super) fn result_of_operator(operator: &str, given: &[Option<Type>]) -> Option<Type> {
    static OPERATORS: LazyLock<Signatures> = LazyLock::new(|| {
        let mut operators = Signatures::new();
        for row in section("pg_operator") {
            let operands = row[7..9].iter().filter_map(|oid| oid.parse().ok());
            operators.entry(row[1]).or_default().push(Signature {
                arguments: operands.filter(|oid| *oid != 0).collect(),
                defaults: 0,
                variadic: None,
                result: row[9].parse().unwrap_or(0),
            });
        }
        operators
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
    let mut left: Vec<_> = all
        .filter(|(_, parameters)| {
            let mut pairs = parameters.iter().zip(given);
            pairs.all(|(parameter, given)| {
                (given.as_ref()).is_none_or(|given| takes(*parameter, given))
            })
        })
        .collect();
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
            pairs
                .filter(|(parameter, given)| {
                    (given.as_ref()).is_some_and(|given| rule(**parameter, given))
                })
                .count()
        };
        let most = (left.iter().map(|(_, parameters)| fitting(parameters))).max()?;
        left.retain(|(_, parameters)| fitting(parameters) == most);
    }
    let mut results = left.iter().map(|(one, _)| one.result(given));
    let first = results.next()??;
    results
        .all(|other| other.as_ref() == Some(&first))
        .then_some(first)
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

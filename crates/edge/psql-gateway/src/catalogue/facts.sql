-- Writes facts.tsv, the facts about PostgreSQL that clients look up. Run it in an empty database of a new PostgreSQL 15:
--   psql --no-psqlrc --quiet --tuples-only --no-align --field-separator $'\t' --file facts.sql postgres > facts.tsv
-- A line with @ names a table and the columns of the lines below it. @relation has the columns of all of the catalogue's tables
-- and views; @type says what SQL calls a type, and @function what it calls a function's arguments and its result.
\pset null '\\N'
\set relations 'select c.*, n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where nspname in (\'pg_catalog\', \'information_schema\') and relkind in (\'r\', \'v\')'

\qecho '@relation	oid	schema	name	kind	columns'
select r.oid, r.nspname, relname, relkind,
  string_agg(attname || ' ' || coalesce(b.typname, t.typname) || case when attnotnull then '!' else '' end, ',' order by attnum)
from (:relations) r join pg_attribute a on a.attrelid = r.oid and attnum > 0
  join pg_type t on t.oid = atttypid left join pg_type b on b.oid = t.typbasetype
group by 1, 2, 3, 4 order by 1;

\qecho '@pg_type	oid	typname	typlen	typbyval	typtype	typcategory	typispreferred	typdelim	typsubscript	typelem	typarray	typinput	typoutput	typreceive	typsend	typmodin	typmodout	typalign	typstorage	typcollation	typnamespace	typowner	typisdefined	typrelid	typanalyze	typnotnull	typbasetype	typtypmod	typndims'
select oid, typname, typlen, typbyval::int, typtype, typcategory, typispreferred::int, typdelim, typsubscript, typelem, typarray,
  typinput, typoutput, typreceive, typsend, typmodin, typmodout, typalign, typstorage, typcollation,
  typnamespace, 10, typisdefined::int, typrelid, typanalyze, typnotnull::int, typbasetype, typtypmod,
  typndims
from pg_type order by 1;

\qecho '@type	oid	name'
select oid, format_type(oid, null) from pg_type order by 1;

\qecho '@pg_proc	oid	proname	pronamespace	proowner	prolang	prokind	proisstrict	proretset	provolatile	pronargs	pronargdefaults	provariadic	prorettype	proargtypes	proallargtypes	proargmodes	proargnames'
select oid, proname, pronamespace, 10, prolang, prokind, proisstrict::int, proretset::int,
  provolatile, pronargs, pronargdefaults, provariadic, prorettype, proargtypes, proallargtypes, proargmodes, proargnames
from pg_proc where oid < 10000 or proname = '_pg_expandarray' order by 1;

\qecho '@function	oid	arguments	result'
select oid, pg_get_function_arguments(oid), pg_get_function_result(oid) from pg_proc where oid < 10000 or proname = '_pg_expandarray'
order by 1;

\qecho '@pg_operator	oid	oprname	oprnamespace	oprowner	oprkind	oprcanmerge	oprcanhash	oprleft	oprright	oprresult	oprcom	oprnegate	oprcode	oprrest	oprjoin'
select oid, oprname, 11, 10, oprkind, oprcanmerge::int, oprcanhash::int, oprleft, oprright, oprresult, oprcom, oprnegate, oprcode,
  oprrest, oprjoin from pg_operator where oid < 10000 order by 1;

\qecho '@pg_cast	oid	castsource	casttarget	castfunc	castcontext	castmethod'
select oid, castsource, casttarget, castfunc, castcontext, castmethod from pg_cast order by castsource, casttarget;

\qecho '@pg_range	rngtypid	rngsubtype	rngmultitypid	rngcollation	rngsubopc	rngcanonical	rngsubdiff'
select rngtypid, rngsubtype, rngmultitypid, rngcollation, rngsubopc, rngcanonical, rngsubdiff from pg_range order by 1;

\qecho '@pg_am	oid	amname	amhandler	amtype'
select oid, amname, amhandler, amtype from pg_am order by 1;

\qecho '@pg_opclass	oid	opcmethod	opcname	opcnamespace	opcowner	opcfamily	opcintype	opcdefault	opckeytype'
select oid, opcmethod, opcname, 11, 10, opcfamily, opcintype, opcdefault::int, opckeytype
from pg_opclass order by 1;

\qecho '@pg_language	oid	lanname	lanowner	lanispl	lanpltrusted	lanplcallfoid	laninline	lanvalidator'
select oid, lanname, 10, lanispl::int, lanpltrusted::int, lanplcallfoid, laninline, lanvalidator
from pg_language order by 1;

\qecho '@pg_collation	oid	collname	collnamespace	collowner	collprovider	collisdeterministic	collencoding	collcollate	collctype'
select oid, collname, 11, 10, collprovider, collisdeterministic::int, collencoding, collcollate, collctype
from pg_collation where oid < 10000 order by 1;

\qecho '@pg_tablespace	oid	spcname	spcowner'
select oid, spcname, 10 from pg_tablespace order by 1;

\qecho '@pg_extension	oid	extname	extowner	extnamespace	extrelocatable	extversion'
select oid, extname, 10, 11, extrelocatable::int, extversion from pg_extension order by 1;

\qecho '@pg_ts_config	oid	cfgname	cfgnamespace	cfgowner	cfgparser'
select oid, cfgname, 11, 10, cfgparser from pg_ts_config order by 1;

\qecho '@pg_roles	oid	rolname	rolinherit	rolcanlogin	rolconnlimit	rolpassword	rolsuper	rolcreaterole	rolcreatedb	rolreplication	rolbypassrls'
select oid, rolname, rolinherit::int, rolcanlogin::int, rolconnlimit, rolpassword, rolsuper::int, rolcreaterole::int,
  rolcreatedb::int, rolreplication::int, rolbypassrls::int
from pg_roles where rolname like 'pg\_%' order by 1;

\qecho '@pg_description	objoid	classoid	objsubid	description'
select objoid, classoid, objsubid, description from pg_description
where classoid in ('pg_type'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_language'::regclass, 'pg_extension'::regclass,
  'pg_ts_config'::regclass, 'pg_am'::regclass, 'pg_namespace'::regclass) and (classoid <> 'pg_proc'::regclass or objoid < 10000)
order by 2, 1, 3;

\qecho '@pg_settings	name	setting	unit	context	vartype	source	min_val	max_val	enumvals	boot_val	reset_val	pending_restart	category	short_desc	extra_desc'
select name, boot_val, unit, context, vartype, 'default', min_val, max_val, enumvals, boot_val, boot_val, 0,
  category, short_desc, extra_desc
from pg_settings where context in ('user', 'superuser', 'backend', 'superuser-backend') or vartype <> 'string' order by name;

\qecho '@pg_get_keywords	word	catcode	barelabel	catdesc	baredesc'
select word, catcode, barelabel::int, catdesc, baredesc from pg_get_keywords() order by 1;

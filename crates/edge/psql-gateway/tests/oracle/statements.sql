-- Statements that clients send, and some that show a rule. Empty lines separate them. The gateway must answer each as PostgreSQL 15
-- does: the same columns, types, rows, SQLSTATE and command tag.

-- psql: \l, \dn, \d, \dt, \d state, \gdesc
SELECT pubname , NULL , NULL FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_namespace pn ON p.oid = pn.pnpubid JOIN pg_catalog.pg_class pc ON pc.relnamespace = pn.pnnspid WHERE pc.oid ='16384' and pg_catalog.pg_relation_is_publishable('16384') UNION SELECT pubname , pg_get_expr(pr.prqual, c.oid) , (CASE WHEN pr.prattrs IS NOT NULL THEN (SELECT string_agg(attname, ', ') FROM pg_catalog.generate_series(0, pg_catalog.array_upper(pr.prattrs::pg_catalog.int2[], 1)) s, pg_catalog.pg_attribute WHERE attrelid = pr.prrelid AND attnum = prattrs[s]) ELSE NULL END) FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_rel pr ON p.oid = pr.prpubid JOIN pg_catalog.pg_class c ON c.oid = pr.prrelid WHERE pr.prrelid = '16384' UNION SELECT pubname , NULL , NULL FROM pg_catalog.pg_publication p WHERE p.puballtables AND pg_catalog.pg_relation_is_publishable('16384') ORDER BY 1

select case when relname = 'pg_am' then 1 end from pg_class where relname = 'pg_am'

SELECT n.nspname AS "Name", pg_catalog.pg_get_userbyid(n.nspowner) = 'nobody' AS "Owner" FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1

SELECT n.nspname as "Schema", c.relname as "Name", CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END as "Type" FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam WHERE c.relkind IN ('r','p','v','m','S','f','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2

SELECT n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname OPERATOR(pg_catalog.~) '^(state)$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1, 2

SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull, (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation, a.attidentity, a.attgenerated FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'state'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

SELECT name AS "Column", pg_catalog.format_type(tp, tpm) AS "Type" FROM (VALUES ('a', '23'::pg_catalog.oid, -1), ('b', '1009'::pg_catalog.oid, -1)) s(name, tp, tpm)

SELECT pg_catalog.set_config('search_path', 'public', false)

-- SQLAlchemy
select pg_catalog.version() like 'PostgreSQL 15%'

select current_schema()

show standard_conforming_strings

show transaction isolation level

SELECT pg_catalog.pg_class.relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relname = 'orders' AND pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p', 'f', 'v', 'm']) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'

SELECT pg_catalog.pg_attribute.attname AS name, pg_catalog.format_type(pg_catalog.pg_attribute.atttypid, pg_catalog.pg_attribute.atttypmod) AS format_type, pg_catalog.pg_attribute.attnotnull AS not_null, pg_catalog.pg_class.relname AS table_name, pg_catalog.pg_attribute.attgenerated AS generated, (SELECT json_build_object('always', pg_catalog.pg_attribute.attidentity = 'a', 'start', pg_catalog.pg_sequence.seqstart) AS json_build_object_1 FROM pg_catalog.pg_sequence WHERE pg_catalog.pg_attribute.attidentity != '' AND pg_catalog.pg_sequence.seqrelid = CAST(CAST(pg_catalog.pg_get_serial_sequence(CAST(CAST(pg_catalog.pg_attribute.attrelid AS REGCLASS) AS TEXT), pg_catalog.pg_attribute.attname) AS REGCLASS) AS OID)) AS identity_options FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_attribute ON pg_catalog.pg_class.oid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attribute.attnum > 0 AND NOT pg_catalog.pg_attribute.attisdropped WHERE pg_catalog.pg_class.relname IN ('orders') ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_attribute.attnum

SELECT attr.conrelid, array_agg(CAST(attr.attname AS TEXT) ORDER BY attr.ord) AS cols, attr.conname, bool_and(attr.indnullsnotdistinct) AS indnullsnotdistinct FROM (SELECT con.conrelid AS conrelid, con.conname AS conname, con.ord AS ord, con.indnullsnotdistinct AS indnullsnotdistinct, pg_catalog.pg_attribute.attname AS attname FROM pg_catalog.pg_attribute JOIN (SELECT pg_catalog.pg_constraint.conrelid AS conrelid, pg_catalog.pg_constraint.conname AS conname, unnest(pg_catalog.pg_index.indkey) AS attnum, generate_subscripts(pg_catalog.pg_index.indkey, 1) AS ord, pg_catalog.pg_index.indnullsnotdistinct AS indnullsnotdistinct FROM pg_catalog.pg_constraint JOIN pg_catalog.pg_index ON pg_catalog.pg_constraint.conindid = pg_catalog.pg_index.indexrelid WHERE pg_catalog.pg_constraint.contype = 'p' AND pg_catalog.pg_constraint.conrelid >= 16384) AS con ON pg_catalog.pg_attribute.attnum = con.attnum AND pg_catalog.pg_attribute.attrelid = con.conrelid) AS attr GROUP BY attr.conrelid, attr.conname ORDER BY attr.conrelid, attr.conname

SELECT t.typname, t.oid, t.typarray FROM pg_type t WHERE t.oid = to_regtype('text')

-- psycopg: TypeInfo
SELECT typname AS name, oid, typarray AS array_oid, oid::regtype::text AS regtype, typdelim AS delimiter FROM pg_type t WHERE t.oid = to_regtype('int4') ORDER BY t.oid

SELECT typname AS name, oid, typarray AS array_oid, oid::regtype::text AS regtype, typdelim AS delimiter FROM pg_type t WHERE t.oid = to_regtype('hstore') ORDER BY t.oid

-- JDBC: getTables, getColumns, getPrimaryKeys, getIndexInfo, getImportedKeys, getSQLKeywords, getTypeInfo, getSchemas, types
SELECT n.nspname AS table_schem, c.relname AS table_name, CASE n.nspname ~ '^pg_' OR n.nspname = 'information_schema' WHEN true THEN CASE WHEN n.nspname = 'pg_catalog' OR n.nspname = 'information_schema' THEN CASE c.relkind WHEN 'r' THEN 'SYSTEM TABLE' WHEN 'v' THEN 'SYSTEM VIEW' WHEN 'i' THEN 'SYSTEM INDEX' ELSE NULL END ELSE NULL END WHEN false THEN CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' ELSE NULL END ELSE NULL END AS table_type, '' as TYPE_CAT, '' AS SELF_REFERENCING_COL_NAME FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 and d.classoid = 'pg_class'::regclass) WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'v') ORDER BY TABLE_TYPE, TABLE_SCHEM, TABLE_NAME

SELECT * FROM (SELECT n.nspname,c.relname,a.attname,a.atttypid,a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS attnotnull,a.atttypmod,a.attlen,t.typtypmod,row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS attnum, nullif(a.attidentity, '') as attidentity,nullif(a.attgenerated, '') as attgenerated,pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS adsrc,dsc.description,t.typbasetype,t.typtype FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON (c.relnamespace = n.oid) JOIN pg_catalog.pg_attribute a ON (a.attrelid=c.oid) JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid) LEFT JOIN pg_catalog.pg_attrdef def ON (a.attrelid=def.adrelid AND a.attnum = def.adnum) LEFT JOIN pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid) LEFT JOIN pg_catalog.pg_class dc ON (dc.oid=dsc.classoid AND dc.relname='pg_class') LEFT JOIN pg_catalog.pg_namespace dn ON (dc.relnamespace=dn.oid AND dn.nspname='pg_catalog') WHERE c.relkind in ('r','p','v','f','m') and a.attnum > 0 AND NOT a.attisdropped AND n.nspname LIKE 'public' AND c.relname LIKE 'orders') c WHERE true ORDER BY nspname,c.relname,attnum

SELECT result.table_schem, result.table_name, result.column_name, result.key_seq, result.pk_name FROM (SELECT n.nspname AS table_schem, ct.relname AS table_name, a.attname AS column_name, (information_schema._pg_expandarray(i.indkey)).n AS key_seq, ci.relname AS pk_name, information_schema._pg_expandarray(i.indkey) AS keys, a.attnum AS a_attnum FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid) JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON ( a.attrelid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE true AND n.nspname = 'public' AND ct.relname = 'orders' AND i.indisprimary) result where result.a_attnum = (result.keys).x ORDER BY result.table_name, result.pk_name, result.key_seq

SELECT tmp.TABLE_SCHEM, trim(both '"' from pg_catalog.pg_get_indexdef(tmp.CI_OID, tmp.ORDINAL_POSITION, false)) AS COLUMN_NAME, CASE tmp.AM_NAME WHEN 'btree' THEN CASE tmp.I_INDOPTION[tmp.ORDINAL_POSITION - 1] & 1::smallint WHEN 1 THEN 'D' ELSE 'A' END ELSE NULL END AS ASC_OR_DESC FROM (SELECT n.nspname AS TABLE_SCHEM, (information_schema._pg_expandarray(i.indkey)).n AS ORDINAL_POSITION, ci.oid AS CI_OID, i.indoption AS I_INDOPTION, am.amname AS AM_NAME FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON (ct.oid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) JOIN pg_catalog.pg_am am ON (ci.relam = am.oid) WHERE true AND n.nspname = 'public' AND ct.relname = 'orders') AS tmp ORDER BY ORDINAL_POSITION

SELECT pkn.nspname AS "PKTABLE_SCHEM", pos.n AS "KEY_SEQ", CASE con.confupdtype WHEN 'c' THEN 0 WHEN 'n' THEN 2 ELSE NULL END AS "UPDATE_RULE" FROM pg_catalog.pg_namespace pkn, pg_catalog.pg_class pkc, pg_catalog.pg_attribute pka, pg_catalog.pg_constraint con, pg_catalog.generate_series(1, 32) pos(n) WHERE pkn.oid = pkc.relnamespace AND pkc.oid = pka.attrelid AND pka.attnum = con.confkey[pos.n] AND con.confrelid = pkc.oid ORDER BY 1, 2

select string_agg(word, ',' order by word) from pg_catalog.pg_get_keywords() where word <> ALL ('{a,abs,absolute,action,ada,add,admin,after,all}'::text[])

SELECT t.typname,t.oid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON (t.typnamespace = n.oid) WHERE n.nspname = 'pg_catalog' AND t.typrelid = 0 AND t.oid < 10000 ORDER BY t.oid

SELECT nspname AS TABLE_SCHEM FROM pg_catalog.pg_namespace WHERE nspname <> 'pg_toast' AND (nspname !~ '^pg_temp_' OR nspname = (pg_catalog.current_schemas(true))[1]) AND (nspname !~ '^pg_toast_temp_' OR nspname = replace((pg_catalog.current_schemas(true))[1], 'pg_temp_', 'pg_toast_temp_')) ORDER BY TABLE_SCHEM

SELECT n.nspname = ANY(current_schemas(true)), n.nspname, t.typname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON t.typnamespace = n.oid WHERE t.oid = 1186

SELECT typinput='pg_catalog.array_in'::regproc as is_array, typtype, typname, pg_type.oid FROM pg_catalog.pg_type LEFT JOIN (select ns.oid as nspoid, ns.nspname, r.r from pg_namespace as ns join ( select s.r, (current_schemas(false))[s.r] as nspname from generate_series(1, array_upper(current_schemas(false), 1)) as s(r) ) as r using ( nspname ) ) as sp ON sp.nspoid = typnamespace WHERE typname = '_text' ORDER BY sp.r, pg_type.oid DESC LIMIT 1

-- pgAdmin
SELECT set_config('bytea_output','hex',false) FROM pg_show_all_settings() WHERE name = 'bytea_output'

SELECT db.datname = current_database() as same, db.datallowconn, pg_encoding_to_char(db.encoding) AS serverencoding, has_database_privilege(db.oid, 'CONNECT') as canconnect, datistemplate FROM pg_catalog.pg_database db WHERE db.datname = current_database()

SELECT roles.rolname as name, CASE WHEN 'pg_signal_backend'=ANY(ARRAY(WITH RECURSIVE cte AS (SELECT pg_roles.oid,pg_roles.rolname FROM pg_roles WHERE pg_roles.oid = roles.oid UNION ALL SELECT m.roleid, pgr.rolname FROM cte cte_1 JOIN pg_auth_members m ON m.member = cte_1.oid JOIN pg_roles pgr ON pgr.oid = m.roleid) SELECT rolname FROM cte)) THEN True ELSE False END as can_signal_backend FROM pg_catalog.pg_roles as roles WHERE rolname = current_user

SELECT oid as id, rolname as name, rolcanlogin as can_login FROM pg_catalog.pg_roles WHERE rolname = 'nobody'

SELECT rel.relname AS name, (SELECT count(*) FROM pg_trigger WHERE tgrelid=rel.oid) AS triggercount, (SELECT count(*) FROM pg_trigger WHERE tgrelid=rel.oid AND tgenabled = 'O') AS has_enable_triggers, (SELECT count(1) FROM pg_inherits WHERE inhrelid=rel.oid LIMIT 1) as is_inherits, (SELECT count(1) FROM pg_inherits WHERE inhparent=rel.oid LIMIT 1) as is_inherited FROM pg_class rel WHERE rel.relkind IN ('r','s','t') AND rel.relnamespace = 2200::oid ORDER BY rel.relname

SELECT CASE WHEN (SELECT count(extname) FROM pg_catalog.pg_extension WHERE extname='bdr') > 0 THEN 'pgd' WHEN (SELECT COUNT(*) FROM pg_replication_slots) > 0 THEN 'log' ELSE NULL END as type

-- DataGrip
select nspname as name from pg_catalog.pg_namespace N where N.xmin::varchar::bigint >= 0 and nspname = 'public' order by case when nspname = pg_catalog.current_schema() then -1::bigint else N.oid::bigint end

select T.relkind as table_kind, T.relname as table_name, false as table_with_oids, T.reltablespace as tablespace_id, T.reloptions as options, T.relpersistence as persistence, (select pg_catalog.array_agg(inhparent::bigint order by inhseqno)::varchar from pg_catalog.pg_inherits where T.oid = inhrelid) as ancestors, T.relispartition as is_partition, pg_catalog.pg_get_partkeydef(T.oid) as partition_key, pg_catalog.pg_get_expr(T.relpartbound, T.oid) as partition_expression from pg_catalog.pg_class T where relnamespace = 2200::oid and relkind in ('r','m','v','f','p') order by table_kind, table_name

-- Grafana
SELECT CASE WHEN quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), array_upper(string_to_array(current_setting('search_path'),','),1)) as i, string_to_array(current_setting('search_path'),',') s) THEN quote_ident(table_name) ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table" FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog') ORDER BY table_name

SELECT quote_ident(column_name) AS "column", data_type AS "type" FROM information_schema.columns WHERE quote_ident(table_name) = 'orders' ORDER BY ordinal_position

SELECT current_setting('server_version_num')::int/10000 as version

SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'

SELECT schema_name AS "name" FROM information_schema.schemata WHERE schema_name NOT IN ('information_schema', 'pg_catalog', 'pg_toast', '_timescaledb_cache') ORDER BY schema_name

SELECT quote_ident(table_name) AS "table" FROM information_schema.tables WHERE quote_ident(table_schema) = 'public' ORDER BY 1

SELECT quote_ident(column_name) AS "column", data_type AS "type" FROM information_schema.columns WHERE CASE WHEN array_length(parse_ident('public.orders'),1) = 2 THEN quote_ident(table_schema) = (parse_ident('public.orders'))[1] AND quote_ident(table_name) = (parse_ident('public.orders'))[2] ELSE quote_ident(table_name) = 'public.orders' END ORDER BY ordinal_position

-- pgcli
select unnest(current_schemas(true))

SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname <> 'pg_toast' ORDER BY 1

SELECT n.nspname schema_name, p.proname func_name, p.proargnames, proallargtypes::regtype[]::text[], p.proargmodes, prorettype::regtype::text return_type, p.prokind = 'a' is_aggregate, p.prokind = 'w' is_window, p.proretset is_set_returning, d.deptype = 'e' is_extension FROM pg_catalog.pg_proc p INNER JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace LEFT JOIN pg_depend d ON d.objid = p.oid and d.deptype = 'e' WHERE p.prorettype::regtype != 'trigger'::regtype and p.proname in ('to_regtype', 'unnest', 'array_agg', 'now') ORDER BY 1, 2, p.oid

SELECT * FROM unnest(current_schemas(true))

SELECT n.nspname schema_name, c.relname table_name FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = ANY('{r,p,f}') and nspname = 'public' ORDER BY 1,2

SELECT nsp.nspname schema_name, cls.relname table_name, att.attname column_name, att.atttypid::regtype::text type_name, att.atthasdef AS has_default, pg_catalog.pg_get_expr(def.adbin, def.adrelid, true) as default FROM pg_catalog.pg_attribute att INNER JOIN pg_catalog.pg_class cls ON att.attrelid = cls.oid INNER JOIN pg_catalog.pg_namespace nsp ON cls.relnamespace = nsp.oid LEFT OUTER JOIN pg_attrdef def ON def.adrelid = att.attrelid AND def.adnum = att.attnum WHERE cls.relkind = ANY('{v,m}') AND NOT att.attisdropped AND att.attnum > 0 and nspname = 'public' ORDER BY 1, 2, att.attnum

SELECT s_p.nspname AS parentschema, t_p.relname AS parenttable, unnest((select array_agg(attname ORDER BY i) from (select unnest(confkey) as attnum, generate_subscripts(confkey, 1) as i) x JOIN pg_catalog.pg_attribute c USING(attnum) WHERE c.attrelid = fk.confrelid)) AS parentcolumn FROM pg_catalog.pg_constraint fk JOIN pg_catalog.pg_class t_p ON t_p.oid = fk.confrelid JOIN pg_catalog.pg_namespace s_p ON s_p.oid = t_p.relnamespace WHERE fk.contype = 'f'

SELECT n.nspname schema_name, p.proname func_name, p.proargnames, COALESCE(proallargtypes::regtype[], proargtypes::regtype[])::text[], p.proargmodes, prorettype::regtype::text return_type, p.prokind = 'a' is_aggregate, p.prokind = 'w' is_window, p.proretset is_set_returning, d.deptype = 'e' is_extension, pg_get_expr(proargdefaults, 0) AS arg_defaults FROM pg_catalog.pg_proc p INNER JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace LEFT JOIN pg_depend d ON d.objid = p.oid and d.deptype = 'e' WHERE p.prorettype::regtype != 'trigger'::regtype and proname = 'now' ORDER BY 1, 2, p.oid

WITH v AS (SELECT 'public.orders'::pg_catalog.regclass::pg_catalog.oid AS v_oid) SELECT nspname, relname, relkind, array_remove(array_remove(c.reloptions,'check_option=local'), 'check_option=cascaded') AS reloptions, CASE WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL'::text WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED'::text ELSE NULL END AS checkoption FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON (c.relnamespace = n.oid) JOIN v ON (c.oid = v.v_oid)

-- Superset
SELECT datname FROM pg_database WHERE datistemplate = false

set search_path = "public"

SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid='-1'

SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'f'

reset search_path

-- Facts
select to_regtype('text'), to_regtype('nope'), to_regtype('int4')::oid, to_regclass('nope')

select 'int4'::regtype, 'character varying'::regtype::oid, 1184::oid::regtype, 'pg_class'::regclass, 'pg_class'::regclass::oid

select json_build_object('a', 1, 'b', null, 'c', 'x"y')

select name, setting, unit, context, vartype, min_val, max_val, enumvals from pg_show_all_settings() where name in ('statement_timeout', 'IntervalStyle', 'work_mem', 'enable_sort') order by name

select count(*), sum(oid::bigint) from pg_operator where oid < 10000

select count(*), count(distinct castsource) from pg_cast

select oid, typname, typlen, typtype, typcategory, typelem, typarray, typinput, typreceive, typdelim, typnotnull from pg_type where typrelid = 0 and oid < 4000 order by oid

select rngtypid, rngsubtype, rngmultitypid from pg_range order by 1

select a.attname, a.attnum, t.typname from pg_attribute a join pg_type t on t.oid = a.atttypid where attrelid = 'pg_type'::regclass and attnum > 0 order by attnum

select (e.p).x, (e.p).n from (select information_schema._pg_expandarray(array['a','b']) as p from pg_am where amname = 'heap') e

select format_type(1186, -1), format_type(1043, -1), format_type(1015, -1), format_type(0, -1), format_type(null, -1), format_type(18, -1)

select current_setting('nope', true), current_setting('server_version_num')::int / 10000

select array_to_string(array['a', null, 'b'], ','), array_upper(array['x','y'], 1), (array['p','q'])[2] from pg_am where amname = 'heap'

select quote_ident('a b'), quote_ident('ab'), quote_literal('it''s'), quote_ident('Select')

select relname from pg_class where relname in ('pg_class', 'pg_type') order by relname desc limit 1 offset 1

select c.x from pg_class as c(x, y) where y = 'pg_class'

select current_catalog, '23'::oid, 'a'::name

select a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relname like 'pg\_class' and a.attname ~ '^rel[a-m]' order by a.attnum

select relname from pg_class where relname like 'pg!_class' escape '!'

-- Metabase, Npgsql, pgx
select format('%I.%I', cast(c.table_schema as text), cast(c.table_name as text)) as t, format('%s', c.udt_name), format('%L %%', 'it''s') from information_schema.columns c where c.table_schema = 'public' and c.table_name = 'state' order by c.ordinal_position

select t.table, t.select from (select schemaname as schema, tablename as table, has_table_privilege(tablename, 'SELECT') as select from pg_tables) t where t.schema = 'public' order by 1

select case when typtype = 'b' then 'a' else typtype end from pg_type where oid = 23

select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1

begin read write

select relname from pg_class where relname = 'pg_am' limit '1'

commit

-- Types through WITH
with t as (select oid, relname, relkind = 'r' as is_table from pg_class) select * from t where relname = 'pg_am'

with t (a, b) as (select relname, relnatts > 0 from pg_class), u as (select b, a, 1 as one from t) select one, b, u.a from u where a = 'pg_am'

select x.b, (with n as (select count(*) as many from pg_am) select many from n) from (select relname = 'pg_am' from pg_class) x(b) where b

with recursive n (i) as (select 1 union all select i + 1 from n where i < 3) select i, relname from n, pg_class where relname = 'pg_am' order by i

-- Errors
select 'nope'::regclass

select 'nope'::regtype

select nope from pg_class

select * from pg_nope

select current_setting('nope')

-- Sessions: isolation levels, as drivers set them and ask for them
begin isolation level serializable read only deferrable

show transaction_isolation

commit

show transaction_isolation

set session characteristics as transaction isolation level repeatable read

show transaction isolation level

begin; set transaction isolation level read uncommitted

show transaction_isolation

rollback

show default_transaction_isolation

reset default_transaction_isolation

set nope = 1

set datestyle = 'nope'

set intervalstyle = 'nope'

set intervalstyle = 'iso_8601'

show intervalstyle

reset intervalstyle

set time zone 'Nope/Nowhere'

set statement_timeout = 'x'

set statement_timeout = '2min'

show statement_timeout

select setting, unit from pg_settings where name = 'statement_timeout'

set statement_timeout = default

set enable_sort = 'perhaps'

show nope

reset nope

begin

declare c cursor for select relname from pg_class where relname in ('pg_am', 'pg_class', 'pg_type') order by 1

fetch 2 from c

fetch forward 5 from c

fetch all from c

fetch next from c

move 1 from c

rollback

begin

declare c cursor for select relname from pg_class where relname in ('pg_am', 'pg_class', 'pg_type') order by 1

move c

fetch c

move forward all in c

move 3 from c

move 3 from d

rollback

fetch 1 from c

declare c cursor for select 1

begin

declare c no scroll cursor for select relname from pg_class where relname = 'pg_am'

declare c cursor for select relname from pg_class

rollback

close c

declare h cursor with hold for select relname from pg_class where relname in ('pg_am', 'pg_class') order by 1

fetch 1 from h

close all

prepare p as select relname from pg_class where relname = $1

prepare p as select 1

execute p('pg_am')

deallocate p

execute p('pg_am')

deallocate all

discard plans

discard all

commit

-- Describes the tables and views that `fill.rs` has put into the tables relation and attribute, in those of the catalogue.

CREATE INDEX pg_catalog.pg_class_oid ON pg_class (oid);
CREATE INDEX pg_catalog.pg_attribute_attrelid ON pg_attribute (attrelid);
CREATE INDEX pg_catalog.pg_type_oid ON pg_type (oid);
CREATE INDEX pg_catalog.pg_proc_oid ON pg_proc (oid);
CREATE INDEX pg_catalog.pg_description_objoid ON pg_description (objoid);

INSERT INTO pg_catalog.pg_database
  (oid, datname, datdba, encoding, datlocprovider, datallowconn, datconnlimit, dattablespace, datcollate, datctype, datistemplate, datacl)
VALUES
  (1, 'template1', 10, 6, 'c', 1, -1, 1663, 'C', 'C', 1, '{=c/restate,restate=CTc/restate}'),
  (4, 'template0', 10, 6, 'c', 0, -1, 1663, 'C', 'C', 1, '{=c/restate,restate=CTc/restate}'),
  (5, 'restate', 10, 6, 'c', 1, -1, 1663, 'C', 'C', 0, NULL);
INSERT INTO pg_catalog.pg_roles
  (oid, rolname, rolinherit, rolcanlogin, rolconnlimit, rolpassword, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls)
VALUES (10, 'restate', 1, 1, -1, '********', 0, 0, 0, 0, 0);
DROP TABLE pg_catalog.pg_user;
CREATE VIEW pg_catalog.pg_user AS
SELECT rolname AS usename, oid AS usesysid, rolcreatedb AS usecreatedb, rolsuper AS usesuper, rolreplication AS userepl,
  rolbypassrls AS usebypassrls, rolpassword AS passwd, rolvaliduntil AS valuntil, rolconfig AS useconfig
FROM pg_roles WHERE rolcanlogin;
-- 6171 is pg_database_owner.
INSERT INTO pg_catalog.pg_namespace (oid, nspname, nspowner, nspacl)
VALUES
  (11, 'pg_catalog', 10, '{restate=UC/restate,=U/restate}'), (99, 'pg_toast', 10, NULL),
  (2200, 'public', 6171, '{pg_database_owner=UC/pg_database_owner,=U/pg_database_owner}'),
  (13207, 'information_schema', 10, '{restate=UC/restate,=U/restate}');
INSERT INTO information_schema.schemata (schema_name, schema_owner)
SELECT nspname, rolname FROM pg_namespace JOIN pg_roles r ON r.oid = nspowner;

-- The types of our tables' rows, and of arrays of these.
INSERT INTO pg_catalog.pg_type
  (oid, typname, typnamespace, typowner, typlen, typtype, typcategory, typisdefined, typdelim, typrelid, typsubscript, typelem, typarray,
   typinput, typoutput, typreceive, typsend, typanalyze, typalign, typstorage, typtypmod)
SELECT oid + 2, name, 2200, 10, -1, 'c', 'C', 1, ',', oid, '-', 0, oid + 1,
  'record_in', 'record_out', 'record_recv', 'record_send', '-', 'd', 'x', -1
FROM relation WHERE schema = 'public'
UNION ALL
SELECT oid + 1, '_' || name, 2200, 10, -1, 'b', 'A', 1, ',', 0, 'array_subscript_handler', oid + 2, 0,
  'array_in', 'array_out', 'array_recv', 'array_send', 'array_typanalyze', 'd', 'x', -1
FROM relation WHERE schema = 'public';

INSERT INTO pg_catalog.pg_class
  (oid, relname, relnamespace, relowner, relkind, relnatts, relam, relhasrules, relpersistence, relreplident, relispopulated, reltuples)
SELECT r.oid, name, n.oid, 10, kind, (SELECT count(*) FROM attribute WHERE relation = r.oid), iif(kind = 'v', 0, 2), kind = 'v',
  'p', 'n', 1, -1
FROM relation r JOIN pg_namespace n ON nspname = schema;
UPDATE pg_catalog.pg_class SET reltype = t.oid FROM pg_catalog.pg_type t WHERE t.typrelid = pg_class.oid;

INSERT INTO pg_catalog.pg_attribute
  (attrelid, attname, atttypid, attlen, attnum, attnotnull, attstattarget, attcacheoff, atttypmod, attstorage, attalign, attislocal)
SELECT relation, name, type, typlen, number, required, -1, -1, -1, 'p', 'i', 1 FROM attribute JOIN pg_type t ON t.oid = type;

INSERT INTO pg_catalog.pg_description (objoid, classoid, objsubid, description)
SELECT oid, 1259, 0, comment FROM relation WHERE comment IS NOT NULL;

INSERT INTO pg_catalog.pg_tables (schemaname, tablename, tableowner, hasindexes, hasrules, hastriggers, rowsecurity)
SELECT schema, name, 'restate', 0, 0, 0, 0 FROM relation WHERE kind = 'r';

INSERT INTO pg_catalog.pg_views (schemaname, viewname, viewowner, definition)
SELECT schema, name, 'restate', definition FROM relation WHERE kind = 'v';

INSERT INTO information_schema.tables (table_schema, table_name, table_type, is_insertable_into, is_typed)
SELECT schema, name, iif(kind = 'v', 'VIEW', 'BASE TABLE'), 'NO', 'NO' FROM relation;

INSERT INTO information_schema.views
  (table_schema, table_name, view_definition, check_option, is_updatable, is_insertable_into, is_trigger_updatable, is_trigger_deletable,
   is_trigger_insertable_into)
SELECT schema, name, definition, 'NONE', 'NO', 'NO', 'NO', 'NO', 'NO' FROM relation WHERE kind = 'v';

INSERT INTO information_schema.columns
  (table_schema, table_name, column_name, ordinal_position, is_nullable, data_type, udt_schema, udt_name, dtd_identifier,
   numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision, character_octet_length,
   is_self_referencing, is_identity, identity_cycle, is_generated, is_updatable)
SELECT r.schema, r.name, a.name, number, iif(required, 'NO', 'YES'),
  iif(typelem <> 0 AND typlen = -1, 'ARRAY', format_type(t.oid, NULL)), 'pg_catalog', typname, number,
  CASE typname WHEN 'int2' THEN 16 WHEN 'int4' THEN 32 WHEN 'int8' THEN 64 WHEN 'float4' THEN 24 WHEN 'float8' THEN 53 END,
  CASE WHEN typname IN ('int2', 'int4', 'int8', 'float4', 'float8') THEN 2 WHEN typname = 'numeric' THEN 10 END,
  CASE WHEN typname IN ('int2', 'int4', 'int8') THEN 0 END,
  CASE WHEN typname = 'date' THEN 0 WHEN typname IN ('timestamp', 'timestamptz', 'time', 'interval') THEN 6 END,
  CASE WHEN typname IN ('text', 'varchar') THEN 1 << 30 END,
  'NO', 'NO', 'NO', 'NEVER', 'NO'
FROM attribute a JOIN relation r ON r.oid = a.relation JOIN pg_type t ON t.oid = a.type;

DROP TABLE relation;
DROP TABLE attribute;
COMMIT;

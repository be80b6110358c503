-- The tables of PostgreSQL's catalogue, version 14, as far as psql, drivers and tools ask for them.
-- The first word of a column's type is its type on the wire; "text" after it keeps SQLite from reading texts as numbers.

CREATE TABLE pg_catalog.pg_namespace (oid oid, nspname "name text", nspowner oid, nspacl text);
CREATE TABLE pg_catalog.pg_class (
  oid oid, relname "name text", relnamespace oid, reltype oid DEFAULT 0, reloftype oid DEFAULT 0, relowner oid DEFAULT 10,
  relam oid DEFAULT 0, relfilenode oid DEFAULT 0, reltablespace oid DEFAULT 0, relpages int4 DEFAULT 0,
  reltuples float4 DEFAULT -1, relallvisible int4 DEFAULT 0, reltoastrelid oid DEFAULT 0, relhasindex bool DEFAULT 0,
  relisshared bool DEFAULT 0, relpersistence "char text" DEFAULT 'p', relkind "char text", relnatts int2,
  relchecks int2 DEFAULT 0, relhasrules bool DEFAULT 0, relhastriggers bool DEFAULT 0, relhassubclass bool DEFAULT 0,
  relrowsecurity bool DEFAULT 0, relforcerowsecurity bool DEFAULT 0, relispopulated bool DEFAULT 1,
  relreplident "char text" DEFAULT 'n', relispartition bool DEFAULT 0, relrewrite oid DEFAULT 0, relfrozenxid int8 DEFAULT 0,
  relminmxid int8 DEFAULT 0, relacl text, reloptions text, relpartbound text);
CREATE TABLE pg_catalog.pg_attribute (
  attrelid oid, attname "name text", atttypid oid, attstattarget int4 DEFAULT -1, attlen int2, attnum int2,
  attndims int4 DEFAULT 0, attcacheoff int4 DEFAULT -1, atttypmod int4 DEFAULT -1, attbyval bool DEFAULT 0,
  attstorage "char text" DEFAULT 'p', attalign "char text" DEFAULT 'i', attcompression text DEFAULT '', attnotnull bool,
  atthasdef bool DEFAULT 0, atthasmissing bool DEFAULT 0, attidentity text DEFAULT '', attgenerated text DEFAULT '',
  attisdropped bool DEFAULT 0, attislocal bool DEFAULT 1, attinhcount int4 DEFAULT 0, attcollation oid DEFAULT 0, attacl text,
  attoptions text, attfdwoptions text, attmissingval text);
CREATE TABLE pg_catalog.pg_type (
  oid oid, typname "name text", typnamespace oid DEFAULT 11, typowner oid DEFAULT 10, typlen int2, typbyval bool DEFAULT 0,
  typtype "char text" DEFAULT 'b', typcategory "char text", typispreferred bool DEFAULT 0, typisdefined bool DEFAULT 1,
  typdelim "char text" DEFAULT ',', typrelid oid DEFAULT 0, typsubscript text DEFAULT '-', typelem oid DEFAULT 0,
  typarray oid DEFAULT 0, typinput text, typoutput text, typreceive text, typsend text, typmodin text DEFAULT '-',
  typmodout text DEFAULT '-', typanalyze text DEFAULT '-', typalign "char text" DEFAULT 'i', typstorage "char text" DEFAULT 'p',
  typnotnull bool DEFAULT 0, typbasetype oid DEFAULT 0, typtypmod int4 DEFAULT -1, typndims int4 DEFAULT 0,
  typcollation oid DEFAULT 0, typdefaultbin text, typdefault text, typacl text);
CREATE TABLE pg_catalog.pg_description (objoid oid, classoid oid, objsubid int4, description text);
CREATE TABLE pg_catalog.pg_database (
  oid oid, datname "name text", datdba oid, encoding int4, datlocprovider "char text", datistemplate bool, datallowconn bool,
  datconnlimit int4, datlastsysoid oid, datfrozenxid int8, datminmxid int8, dattablespace oid, datcollate text, datctype text,
  daticulocale text, datcollversion text, datacl text);
CREATE TABLE pg_catalog.pg_roles (
  oid oid, rolname "name text", rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, rolcanlogin bool,
  rolreplication bool, rolconnlimit int4, rolpassword text, rolvaliduntil timestamptz, rolbypassrls bool, rolconfig text);
CREATE TABLE pg_catalog.pg_am (oid oid, amname "name text", amhandler text, amtype "char text");
CREATE TABLE pg_catalog.pg_settings (
  name "text text", setting "text text", unit text, category text, short_desc text, extra_desc text, context text, vartype text,
  source text, min_val text, max_val text, enumvals text, boot_val text, reset_val text, sourcefile text, sourceline int4,
  pending_restart bool);
CREATE TABLE pg_catalog.pg_tables (
  schemaname "name text", tablename "name text", tableowner "name text", tablespace "name text", hasindexes bool, hasrules bool,
  hastriggers bool, rowsecurity bool);
CREATE TABLE pg_catalog.pg_views (schemaname "name text", viewname "name text", viewowner "name text", definition text);

INSERT INTO pg_catalog.pg_namespace VALUES
  (11, 'pg_catalog', 10, NULL), (2200, 'public', 10, NULL), (13000, 'information_schema', 10, NULL);
INSERT INTO pg_catalog.pg_roles VALUES (10, 'restate', 0, 1, 0, 0, 1, 0, -1, '********', NULL, 0, NULL);
INSERT INTO pg_catalog.pg_database VALUES
  (16383, 'restate', 10, 6, 'c', 0, 1, -1, 16383, 0, 0, 1663, 'C', 'C', NULL, NULL, NULL);
INSERT INTO pg_catalog.pg_am VALUES (2, 'heap', 'heap_tableam_handler', 't');

-- Nothing of these kinds is here.
CREATE TABLE pg_catalog.pg_attrdef (oid oid, adrelid oid, adnum int2, adbin text);
CREATE TABLE pg_catalog.pg_index (
  indexrelid oid, indrelid oid, indnatts int2, indnkeyatts int2, indisunique bool, indnullsnotdistinct bool, indisprimary bool,
  indisexclusion bool, indimmediate bool, indisclustered bool, indisvalid bool, indcheckxmin bool, indisready bool,
  indislive bool, indisreplident bool, indkey text, indcollation text, indclass text, indoption text, indexprs text, indpred text);
CREATE TABLE pg_catalog.pg_constraint (
  oid oid, conname "name text", connamespace oid, contype "char text", condeferrable bool, condeferred bool, convalidated bool,
  conrelid oid, contypid oid, conindid oid, conparentid oid, confrelid oid, confupdtype "char text", confdeltype "char text",
  confmatchtype "char text", conislocal bool, coninhcount int4, connoinherit bool, conkey text, confkey text, conpfeqop text,
  conppeqop text, conffeqop text, conexclop text, conbin text);
CREATE TABLE pg_catalog.pg_shdescription (objoid oid, classoid oid, description text);
CREATE TABLE pg_catalog.pg_proc (
  oid oid, proname "name text", pronamespace oid, proowner oid, prolang oid, procost float4, prorows float4, provariadic oid,
  prosupport text, prokind "char text", prosecdef bool, proleakproof bool, proisstrict bool, proretset bool,
  provolatile "char text", proparallel "char text", pronargs int2, pronargdefaults int2, prorettype oid, proargtypes text,
  proallargtypes text, proargmodes text, proargnames text, proargdefaults text, protrftypes text, prosrc text, probin text,
  prosqlbody text, proconfig text, proacl text);
CREATE TABLE pg_catalog.pg_range (
  rngtypid oid, rngsubtype oid, rngmultitypid oid, rngcollation oid, rngsubopc oid, rngcanonical text, rngsubdiff text);
CREATE TABLE pg_catalog.pg_enum (oid oid, enumtypid oid, enumsortorder float4, enumlabel "name text");
CREATE TABLE pg_catalog.pg_auth_members (roleid oid, member oid, grantor oid, admin_option bool);
CREATE TABLE pg_catalog.pg_user (usename "name text", usesysid oid, usecreatedb bool, usesuper bool);
CREATE TABLE pg_catalog.pg_group (groname "name text", grosysid oid, grolist text);
CREATE TABLE pg_catalog.pg_db_role_setting (setdatabase oid, setrole oid, setconfig text);
CREATE TABLE pg_catalog.pg_collation (
  oid oid, collname "name text", collnamespace oid, collowner oid, collprovider "char text", collisdeterministic bool,
  collencoding int4, collcollate text, collctype text, collversion text);
CREATE TABLE pg_catalog.pg_conversion (oid oid, conname "name text", connamespace oid, conforencoding int4, contoencoding int4, condefault bool);
CREATE TABLE pg_catalog.pg_tablespace (oid oid, spcname "name text", spcowner oid, spcacl text, spcoptions text);
CREATE TABLE pg_catalog.pg_inherits (inhrelid oid, inhparent oid, inhseqno int4, inhdetachpending bool);
CREATE TABLE pg_catalog.pg_partitioned_table (partrelid oid, partstrat "char text", partnatts int2, partdefid oid, partattrs text);
CREATE TABLE pg_catalog.pg_policy (
  oid oid, polname "name text", polrelid oid, polcmd "char text", polpermissive bool, polroles text, polqual text,
  polwithcheck text);
CREATE TABLE pg_catalog.pg_trigger (
  oid oid, tgrelid oid, tgparentid oid, tgname "name text", tgfoid oid, tgtype int2, tgenabled "char text", tgisinternal bool,
  tgconstrrelid oid, tgconstrindid oid, tgconstraint oid, tgdeferrable bool, tginitdeferred bool, tgnargs int2);
CREATE TABLE pg_catalog.pg_event_trigger (oid oid, evtname "name text", evtevent "name text", evtowner oid, evtfoid oid, evtenabled "char text", evttags text);
CREATE TABLE pg_catalog.pg_rewrite (
  oid oid, rulename "name text", ev_class oid, ev_type "char text", ev_enabled "char text", is_instead bool, ev_qual text,
  ev_action text);
CREATE TABLE pg_catalog.pg_statistic_ext (
  oid oid, stxrelid oid, stxname "name text", stxnamespace oid, stxowner oid, stxstattarget int4, stxkeys text, stxkind text,
  stxexprs text);
CREATE TABLE pg_catalog.pg_publication (
  oid oid, pubname "name text", pubowner oid, puballtables bool, pubinsert bool, pubupdate bool, pubdelete bool,
  pubtruncate bool, pubviaroot bool);
CREATE TABLE pg_catalog.pg_publication_rel (oid oid, prpubid oid, prrelid oid);
CREATE TABLE pg_catalog.pg_subscription (oid oid, subdbid oid, subname "name text", subowner oid, subenabled bool);
CREATE TABLE pg_catalog.pg_foreign_table (ftrelid oid, ftserver oid, ftoptions text);
CREATE TABLE pg_catalog.pg_foreign_server (
  oid oid, srvname "name text", srvowner oid, srvfdw oid, srvtype text, srvversion text, srvacl text, srvoptions text);
CREATE TABLE pg_catalog.pg_foreign_data_wrapper (oid oid, fdwname "name text", fdwowner oid, fdwhandler oid, fdwvalidator oid, fdwacl text, fdwoptions text);
CREATE TABLE pg_catalog.pg_user_mapping (oid oid, umuser oid, umserver oid, umoptions text);
CREATE TABLE pg_catalog.pg_extension (
  oid oid, extname "name text", extowner oid, extnamespace oid, extrelocatable bool, extversion text, extconfig text,
  extcondition text);
CREATE TABLE pg_catalog.pg_available_extensions (name "name text", default_version text, installed_version text, comment text);
CREATE TABLE pg_catalog.pg_language (oid oid, tableoid oid, lanname "name text", lanowner oid, lanispl bool, lanpltrusted bool, lanplcallfoid oid, laninline oid, lanvalidator oid, lanacl text);
CREATE TABLE pg_catalog.pg_operator (
  oid oid, oprname "name text", oprnamespace oid, oprowner oid, oprkind "char text", oprcanmerge bool, oprcanhash bool,
  oprleft oid, oprright oid, oprresult oid, oprcode text);
CREATE TABLE pg_catalog.pg_opclass (oid oid, opcmethod oid, opcname "name text", opcnamespace oid, opcowner oid, opcfamily oid, opcintype oid, opcdefault bool, opckeytype oid);
CREATE TABLE pg_catalog.pg_opfamily (oid oid, opfmethod oid, opfname "name text", opfnamespace oid, opfowner oid);
CREATE TABLE pg_catalog.pg_aggregate (aggfnoid oid, aggkind "char text", aggnumdirectargs int2);
CREATE TABLE pg_catalog.pg_cast (oid oid, castsource oid, casttarget oid, castfunc oid, castcontext "char text", castmethod "char text");
CREATE TABLE pg_catalog.pg_depend (classid oid, objid oid, objsubid int4, refclassid oid, refobjid oid, refobjsubid int4, deptype "char text");
CREATE TABLE pg_catalog.pg_sequence (seqrelid oid, seqtypid oid, seqstart int8, seqincrement int8, seqmax int8, seqmin int8, seqcache int8, seqcycle bool);
CREATE TABLE pg_catalog.pg_sequences (schemaname "name text", sequencename "name text");
CREATE TABLE pg_catalog.pg_matviews (schemaname "name text", matviewname "name text", matviewowner "name text", definition text);
CREATE TABLE pg_catalog.pg_indexes (schemaname "name text", tablename "name text", indexname "name text", tablespace "name text", indexdef text);
CREATE TABLE pg_catalog.pg_default_acl (oid oid, defaclrole oid, defaclnamespace oid, defaclobjtype "char text", defaclacl text);
CREATE TABLE pg_catalog.pg_largeobject_metadata (oid oid, tableoid oid, lomowner oid, lomacl text);
CREATE TABLE pg_catalog.pg_ts_config (oid oid, cfgname "name text", cfgnamespace oid, cfgowner oid, cfgparser oid);
CREATE TABLE pg_catalog.pg_ts_dict (oid oid, dictname "name text", dictnamespace oid, dictowner oid, dicttemplate oid, dictinitoption text);
CREATE TABLE pg_catalog.pg_ts_parser (oid oid, prsname "name text", prsnamespace oid);
CREATE TABLE pg_catalog.pg_ts_template (oid oid, tmplname "name text", tmplnamespace oid);
CREATE TABLE pg_catalog.pg_stat_activity (datid oid, datname "name text", pid int4, usename "name text", application_name text, state text, query text);
CREATE TABLE pg_catalog.pg_locks (locktype text, database oid, relation oid, pid int4, mode text, granted bool);
CREATE TABLE pg_catalog.pg_prepared_statements (name text, statement text);
CREATE TABLE pg_catalog.pg_cursors (name text, statement text);
CREATE TABLE pg_catalog.pg_timezone_names (name "text text", abbrev text, utc_offset text, is_dst bool);

CREATE TABLE information_schema.schemata (catalog_name "name text", schema_name "name text", schema_owner "name text");
CREATE TABLE information_schema.tables (
  table_catalog "name text", table_schema "name text", table_name "name text", table_type "text text",
  self_referencing_column_name text, reference_generation text, user_defined_type_catalog text, user_defined_type_schema text,
  user_defined_type_name text, is_insertable_into text DEFAULT 'NO', is_typed text DEFAULT 'NO', commit_action text);
CREATE TABLE information_schema.columns (
  table_catalog "name text", table_schema "name text", table_name "name text", column_name "name text", ordinal_position int4,
  column_default text, is_nullable "text text", data_type "text text", character_maximum_length int4, character_octet_length int4,
  numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, datetime_precision int4, interval_type text,
  collation_name text, domain_name text, udt_catalog "name text", udt_schema "name text", udt_name "name text",
  is_identity text DEFAULT 'NO', identity_generation text, is_generated text DEFAULT 'NEVER', generation_expression text,
  is_updatable text DEFAULT 'NO');
CREATE TABLE information_schema.views (
  table_catalog "name text", table_schema "name text", table_name "name text", view_definition text,
  check_option text DEFAULT 'NONE', is_updatable text DEFAULT 'NO', is_insertable_into text DEFAULT 'NO');
CREATE TABLE information_schema.table_constraints (
  constraint_catalog "name text", constraint_schema "name text", constraint_name "name text", table_catalog "name text",
  table_schema "name text", table_name "name text", constraint_type text, is_deferrable text, initially_deferred text);
CREATE TABLE information_schema.key_column_usage (
  constraint_catalog "name text", constraint_schema "name text", constraint_name "name text", table_catalog "name text",
  table_schema "name text", table_name "name text", column_name "name text", ordinal_position int4,
  position_in_unique_constraint int4);
CREATE TABLE information_schema.referential_constraints (
  constraint_catalog "name text", constraint_schema "name text", constraint_name "name text",
  unique_constraint_catalog "name text", unique_constraint_schema "name text", unique_constraint_name "name text",
  match_option text, update_rule text, delete_rule text);
CREATE TABLE information_schema.constraint_column_usage (
  table_catalog "name text", table_schema "name text", table_name "name text", column_name "name text",
  constraint_catalog "name text", constraint_schema "name text", constraint_name "name text");
CREATE TABLE information_schema.routines (routine_catalog "name text", routine_schema "name text", routine_name "name text", routine_type text);
CREATE TABLE information_schema.sequences (sequence_catalog "name text", sequence_schema "name text", sequence_name "name text");

INSERT INTO information_schema.schemata VALUES
  ('restate', 'pg_catalog', 'restate'), ('restate', 'public', 'restate'), ('restate', 'information_schema', 'restate');

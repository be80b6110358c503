-- Puts a session into the catalogue: its user and its database are in the table session, the settings that it has changed in the table changed.

-- Views in PostgreSQL: nothing but what the session has changed differs from the beginning.
UPDATE pg_catalog.pg_settings SET setting = reset_val, source = 'default' WHERE source = 'session';
UPDATE pg_catalog.pg_settings SET setting = value, source = 'session' FROM changed WHERE lower(pg_settings.name) = changed.name;

-- Whoever is in a template is in one that is there already.
UPDATE pg_catalog.pg_database SET datname = iif(database IN ('template0', 'template1'), 'restate', database) FROM session WHERE oid = 5;

DELETE FROM pg_catalog.pg_roles WHERE oid = 16382;
INSERT INTO pg_catalog.pg_roles
  (oid, rolname, rolinherit, rolcanlogin, rolconnlimit, rolpassword, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls)
SELECT 16382, user, 1, 1, -1, '********', 0, 0, 0, 0, 0 FROM session WHERE user <> 'restate';

UPDATE information_schema.schemata SET catalog_name = database FROM session WHERE catalog_name IS NOT database;
UPDATE information_schema.tables SET table_catalog = database FROM session WHERE table_catalog IS NOT database;
UPDATE information_schema.columns SET table_catalog = database, udt_catalog = database FROM session WHERE table_catalog IS NOT database;
UPDATE information_schema.views SET table_catalog = database FROM session WHERE table_catalog IS NOT database;

DROP TABLE session;
DROP TABLE changed;

-- Databases and roles of one Postgres cluster, by psql, as its superuser; may run again at any time.
--   psql -v ON_ERROR_STOP=1 -v owner_password=... -v runtime_password=... -v reader_password=... -v backup_password=... -f roles.sql
--
-- Four databases, and for each a role that its subgraph runs as. Who may do what:
--   fittracker_owner      owns the tables; only migrations sign in as it
--   fittracker_<domain>   reads and writes rows of its own database, and no other; cannot change the schema
--   fittracker_reader     reads everything; for people and dashboards
--   fittracker_backup     reads everything and may replicate; for backups
-- Nobody else may connect: PUBLIC loses what Postgres gives it by default.
\set ON_ERROR_STOP on
-- Passwords must not stand in the log, whatever log_statement says of DDL.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
-- Nor among the statements that pg_stat_statements keeps, which members of pg_monitor read. Without the extension this means nothing.
SET pg_stat_statements.track = 'none';

SELECT format('CREATE ROLE %I LOGIN', name) FROM (VALUES
  ('fittracker_owner'), ('fittracker_users'), ('fittracker_nutrition'), ('fittracker_workouts'),
  ('fittracker_analytics'), ('fittracker_reader'), ('fittracker_backup')) AS wanted(name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name)
\gexec

ALTER ROLE fittracker_owner PASSWORD :'owner_password';
SELECT format('ALTER ROLE %I PASSWORD %L', 'fittracker_' || domain, :'runtime_password')
FROM (VALUES ('users'), ('nutrition'), ('workouts'), ('analytics')) AS domains(domain)
\gexec
ALTER ROLE fittracker_reader PASSWORD :'reader_password';
ALTER ROLE fittracker_backup PASSWORD :'backup_password';
ALTER ROLE fittracker_backup REPLICATION;
ALTER ROLE fittracker_reader SET default_transaction_read_only = on;
ALTER ROLE fittracker_reader SET statement_timeout = '30s';
GRANT pg_read_all_data TO fittracker_reader, fittracker_backup;
GRANT pg_monitor TO fittracker_reader;

SELECT format('CREATE DATABASE %I OWNER fittracker_owner', 'fittracker_' || domain)
FROM (VALUES ('users'), ('nutrition'), ('workouts'), ('analytics')) AS domains(domain)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'fittracker_' || domain)
\gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', 'fittracker_' || domain)
FROM (VALUES ('users'), ('nutrition'), ('workouts'), ('analytics')) AS domains(domain)
\gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO %I, fittracker_owner, fittracker_reader, fittracker_backup',
              'fittracker_' || domain, 'fittracker_' || domain)
FROM (VALUES ('users'), ('nutrition'), ('workouts'), ('analytics')) AS domains(domain)
\gexec

-- Statistics of all databases' statements, for `fittracker db slow`. In this one, so that a dump of ours needs no superuser.
\connect postgres
SELECT 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements'
WHERE EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements')
\gexec

-- In each database: the schema belongs to the owner, and whatever a migration makes later is the subgraph's to use.
\connect fittracker_users
\set runtime fittracker_users
\ir rights.sql
\connect fittracker_nutrition
\set runtime fittracker_nutrition
\ir rights.sql
\connect fittracker_workouts
\set runtime fittracker_workouts
\ir rights.sql
\connect fittracker_analytics
\set runtime fittracker_analytics
\ir rights.sql

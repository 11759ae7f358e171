#!/bin/sh
# Run once by the postgres image over an empty data directory (docker-entrypoint-initdb.d).
# Passwords come from secret files and travel by the environment of this one process, never on a command line.
set -eu
read_secret() { tr -d '\n' < "/run/secrets/$1"; }
OWNER=$(read_secret postgres_owner_password) RUNTIME=$(read_secret postgres_runtime_password)
READER=$(read_secret postgres_reader_password) BACKUP=$(read_secret postgres_backup_password)
export OWNER RUNTIME READER BACKUP
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv owner_password OWNER
\getenv runtime_password RUNTIME
\getenv reader_password READER
\getenv backup_password BACKUP
\i /etc/fittracker/postgres/roles.sql
SQL

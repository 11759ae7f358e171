-- What the role :runtime may do in the database that is connected; read by roles.sql, once for each domain.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO fittracker_owner;
GRANT USAGE ON SCHEMA public TO :"runtime", fittracker_reader, fittracker_backup;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"runtime";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO :"runtime";
ALTER DEFAULT PRIVILEGES FOR ROLE fittracker_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"runtime";
ALTER DEFAULT PRIVILEGES FOR ROLE fittracker_owner IN SCHEMA public
  GRANT USAGE, SELECT ON SEQUENCES TO :"runtime";

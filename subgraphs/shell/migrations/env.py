"""Alembic's environment, shared by the four subgraphs: `subgraphs.shell.database.migrate` hands over the open connection."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()

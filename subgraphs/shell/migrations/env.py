"""Alembic's environment, shared by the four subgraphs: `subgraphs.shell.database.migrate` hands over the open connection."""

from alembic import context

connection = context.config.attributes["connection"]
# A transaction a revision: what one has locked is free again before the next begins, and what is done stays done.
context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()

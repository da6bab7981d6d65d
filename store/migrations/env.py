"""What alembic runs: the scripts, on the connection and in the transaction of `store.migrate`."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="hysteron_schema",
    transactional_ddl=True,
)
context.run_migrations()

"""Alembic's entry point: on the connection it is given, or as MySQL text without one."""

from alembic import context

from db.models import Base

connection = context.config.attributes.get("connection")
if connection is None:
    context.configure(dialect_name="mysql", target_metadata=Base.metadata)
else:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
    )
with context.begin_transaction():
    context.run_migrations()

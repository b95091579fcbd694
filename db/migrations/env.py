"""Alembic's environment: runs migrations on the connection that `db.migrations` hands over."""

from alembic import context

import db.models  # noqa: F401 - fills the metadata
from db.base import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,  # true of SQLite too, since `db.session` begins transactions itself
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()

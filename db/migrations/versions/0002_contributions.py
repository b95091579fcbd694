"""What each part of a fitted fusion adds to a candidate's score.

Revision: 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Add the column; lists made before have none."""
    op.add_column("candidates", sa.Column("contributions", JSON, nullable=True))

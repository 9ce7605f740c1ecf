"""Give the hold reasons of new orders the text in which pages find them: an insert wrote it without spaces

Revision ID: 8d41f6a2b907
Revises: 5b9c0e7ad214
Create Date: 2026-11-30 14:00:00.000000

"""
from alembic import op

# revision identifiers, used by Alembic.
revision = '8d41f6a2b907'
down_revision = '5b9c0e7ad214'
branch_labels = None
depends_on = None


def upgrade():
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(
            "UPDATE orders SET holds = CAST(CAST(holds AS jsonb) AS json) "
            "WHERE state = 'held' AND CAST(holds AS text) LIKE '%\"reason\":\"%'"
        )


def downgrade():
    pass

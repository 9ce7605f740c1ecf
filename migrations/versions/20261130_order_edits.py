"""Add what people changed about one order, which counts instead of what Big Cartel shows

Revision ID: c81f4e90d2a7
Revises: c47b19e0d3a8
Create Date: 2026-11-30 12:00:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'c81f4e90d2a7'
down_revision = 'c47b19e0d3a8'
branch_labels = None
depends_on = None


def upgrade():
    # It can be repeated: a migration that was interrupted leaves what it had done.
    if 'edits' not in {column['name'] for column in sa.inspect(op.get_bind()).get_columns('orders')}:
        op.add_column('orders', sa.Column('edits', sa.JSON(), nullable=True))


def downgrade():
    op.drop_column('orders', 'edits')

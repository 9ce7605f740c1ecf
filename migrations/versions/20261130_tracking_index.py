"""Add an index of the orders at the warehouse: each merchant's youngest one says when to ask about them

Revision ID: 5b9c0e7ad214
Revises: 3f7d52c8b6e4
Create Date: 2026-11-30 10:00:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '5b9c0e7ad214'
down_revision = '3f7d52c8b6e4'
branch_labels = None
depends_on = None

NAME = 'ix_orders_at_the_warehouse'


def upgrade():
    if op.get_bind().dialect.name == 'sqlite':
        _index()
        return
    # The table can still be written while its index is made.
    with op.get_context().autocommit_block():
        _index(postgresql_concurrently=True)


def _index(**options):
    """Make the index. One whose making was interrupted is there, but PostgreSQL doesn't use it."""
    only = sa.text("state = 'submitted'")
    op.drop_index(NAME, table_name='orders', if_exists=True, **options)
    op.create_index(
        NAME, 'orders', ['merchant_id', 'state_changed_at'], postgresql_where=only, sqlite_where=only, **options
    )


def downgrade():
    op.drop_index(NAME, table_name='orders')

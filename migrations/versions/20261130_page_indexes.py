"""Add indexes of pages: the last order sent, orders per day and by state, and orders that the warehouse can't find

Revision ID: 3f7d52c8b6e4
Revises: 8e2b5c96a0f1
Create Date: 2026-11-30 09:00:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '3f7d52c8b6e4'
down_revision = '8e2b5c96a0f1'
branch_labels = None
depends_on = None

# name: (table, columns, condition)
INDEXES = {
    'ix_attempts_sent': ('attempts', ['merchant_id', 'started_at', 'id'], "kind = 'submit'"),
    'ix_orders_days': ('orders', ['merchant_id', 'first_seen_at', 'placed_at', 'state'], None),
    'ix_orders_merchant_states': ('orders', ['merchant_id', 'state', 'id', 'shipping_code'], None),
    'ix_orders_missing': ('orders', ['state', 'merchant_id'], 'fcp_missing_since IS NOT NULL'),
}
REPLACED = {
    'ix_orders_first_seen': ['merchant_id', 'first_seen_at'],
    'ix_orders_merchant_state': ['merchant_id', 'state', 'id'],
}


def upgrade():
    if op.get_bind().dialect.name == 'sqlite':
        _index()
        return
    # The tables can still be written while their indexes are made.
    with op.get_context().autocommit_block():
        _index(postgresql_concurrently=True)


def _index(**options):
    """Make the indexes. One whose making was interrupted is there, but PostgreSQL doesn't use it."""
    for name, (table, columns, condition) in INDEXES.items():
        only = sa.text(condition) if condition else None
        op.drop_index(name, table_name=table, if_exists=True, **options)
        op.create_index(name, table, columns, postgresql_where=only, sqlite_where=only, **options)
    for name in REPLACED:
        op.drop_index(name, table_name='orders', if_exists=True, **options)


def downgrade():
    for name, columns in REPLACED.items():
        op.create_index(name, 'orders', columns)
    for name, (table, _, _) in INDEXES.items():
        op.drop_index(name, table_name=table)

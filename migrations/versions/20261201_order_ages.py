"""Add indexes of orders by the time they were placed: the order list is sorted by age

Revision ID: 1c7e94d0b3f6
Revises: c81f4e90d2a7
Create Date: 2026-12-01 09:00:00.000000

"""
from alembic import op

# revision identifiers, used by Alembic.
revision = '1c7e94d0b3f6'
down_revision = 'c81f4e90d2a7'
branch_labels = None
depends_on = None

INDEXES = {
    'ix_orders_age': ['merchant_id', 'placed_at', 'id'],
    'ix_orders_state_age': ['merchant_id', 'state', 'placed_at', 'id'],
}


def upgrade():
    if op.get_bind().dialect.name == 'sqlite':
        _index()
        return
    # The table can still be written while its indexes are made.
    with op.get_context().autocommit_block():
        _index(postgresql_concurrently=True)


def _index(**options):
    """Make the indexes. One whose making was interrupted is there, but PostgreSQL doesn't use it."""
    for name, columns in INDEXES.items():
        op.drop_index(name, table_name='orders', if_exists=True, **options)
        op.create_index(name, 'orders', columns, **options)


def downgrade():
    for name in INDEXES:
        op.drop_index(name, table_name='orders')

"""Add what an idle poll needs to read no order on hold, and find canceled orders by index

Revision ID: a94e2c7d0b58
Revises: 3d5b8e6a1f47
Create Date: 2026-11-27 20:40:00.000000

"""
from alembic import op
import sqlalchemy as sa

from portal.models.base import UtcDateTime

# revision identifiers, used by Alembic.
revision = 'a94e2c7d0b58'
down_revision = '3d5b8e6a1f47'
branch_labels = None
depends_on = None

# name: (columns, condition)
INDEXES = {
    'ix_orders_held': (['store_id', 'assessed_at'], "state = 'held'"),
    'ix_orders_closed_because': (['merchant_id', 'closed_because', 'state_changed_at'], 'closed_because IS NOT NULL'),
}


def upgrade():
    # Every change can be repeated: a migration that was interrupted leaves what it had done.
    inspector = sa.inspect(op.get_bind())
    if 'products_to_fix' not in inspector.get_table_names():
        op.create_table(
            'products_to_fix',
            sa.Column('store_id', sa.Integer(), nullable=False),
            sa.Column('product_id', sa.String(), nullable=False),
            sa.ForeignKeyConstraint(['store_id'], ['stores.id'], name=op.f('fk_products_to_fix_store_id_stores')),
            sa.PrimaryKeyConstraint('store_id', 'product_id', name=op.f('pk_products_to_fix')),
        )
    _add(inspector, 'stores', sa.Column('held_assessed_at', UtcDateTime(), nullable=True))
    _add(inspector, 'stores', sa.Column('held_read_at', UtcDateTime(), nullable=True))
    if op.get_bind().dialect.name == 'sqlite':
        _index()
        return
    # Orders can still be written while their indexes are made.
    with op.get_context().autocommit_block():
        _index(postgresql_concurrently=True)


def _index(**options):
    """Make the indexes. One whose making was interrupted is there, but PostgreSQL doesn't use it."""
    for name, (columns, condition) in INDEXES.items():
        only = sa.text(condition)
        op.drop_index(name, table_name='orders', if_exists=True, **options)
        op.create_index(name, 'orders', columns, postgresql_where=only, sqlite_where=only, **options)


def _add(inspector, table, column):
    if column.name not in {known['name'] for known in inspector.get_columns(table)}:
        op.add_column(table, column)


def downgrade():
    for name in INDEXES:
        op.drop_index(name, table_name='orders')
    op.drop_column('stores', 'held_read_at')
    op.drop_column('stores', 'held_assessed_at')
    op.drop_table('products_to_fix')

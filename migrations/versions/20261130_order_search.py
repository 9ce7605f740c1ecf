"""Add the words by which orders are found, and an index of the warehouse's numbers; a job fills the words in

Revision ID: c47b19e0d3a8
Revises: 8d41f6a2b907
Create Date: 2026-11-30 16:00:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'c47b19e0d3a8'
down_revision = '8d41f6a2b907'
branch_labels = None
depends_on = None

FCP_NUMBERS = 'ix_orders_fcp_order_id'


def upgrade():
    op.create_table(
        'order_search',
        sa.Column('order_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('merchant_id', sa.Integer(), nullable=False),
        sa.Column('terms', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ['order_id'], ['orders.id'], name=op.f('fk_order_search_order_id_orders'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('order_id', name=op.f('pk_order_search')),
    )
    op.create_index('ix_order_search_merchant', 'order_search', ['merchant_id', 'order_id'])
    if op.get_bind().dialect.name == 'sqlite':
        _index()
        return
    op.create_index(
        'ix_order_search_words',
        'order_search',
        [sa.text("array_to_tsvector(string_to_array(terms, ' '))")],
        postgresql_using='gin',
        postgresql_with={'gin_pending_list_limit': 256},
    )
    # Orders can still be written while their index is made.
    with op.get_context().autocommit_block():
        _index(postgresql_concurrently=True)


def _index(**options):
    """Make the index. One whose making was interrupted is there, but PostgreSQL doesn't use it."""
    only = sa.text("fcp_order_id <> ''")
    op.drop_index(FCP_NUMBERS, table_name='orders', if_exists=True, **options)
    op.create_index(FCP_NUMBERS, 'orders', ['fcp_order_id'], postgresql_where=only, sqlite_where=only, **options)


def downgrade():
    op.drop_index(FCP_NUMBERS, table_name='orders')
    op.drop_table('order_search')

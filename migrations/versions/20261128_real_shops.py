"""Add what orders of real shops need: released holds, unlisted orders, marked rates, and the store's time zone

Revision ID: 6c1f0e9b2d73
Revises: a94e2c7d0b58
Create Date: 2026-11-28 00:10:00.000000

"""
from alembic import op
import sqlalchemy as sa

from portal.models.base import UtcDateTime

# revision identifiers, used by Alembic.
revision = '6c1f0e9b2d73'
down_revision = 'a94e2c7d0b58'
branch_labels = None
depends_on = None

# Until now a release counted for this reason only. Without a detail, it still counts whatever the detail.
RELEASED = [{'reason': 'local_pickup', 'detail': ''}]


def upgrade():
    if op.get_bind().dialect.name == 'sqlite':
        change()
        return
    # One transaction for each change: running workers lock these tables in another order, and none is locked for long.
    with op.get_context().autocommit_block():
        change()


def change():
    # Every change can be repeated: a migration that was interrupted leaves what it had done.
    inspector = sa.inspect(op.get_bind())
    _add(inspector, 'orders', sa.Column('released_holds', sa.JSON(), nullable=True))
    _add(inspector, 'orders', sa.Column('unlisted_since', UtcDateTime(), nullable=True))
    _add(inspector, 'stores', sa.Column('time_zone', sa.String(), nullable=False, server_default=''))
    if 'marked_rates' not in inspector.get_table_names():
        op.create_table(
            'marked_rates',
            sa.Column('id', sa.Integer(), nullable=False),
            sa.Column('store_id', sa.Integer(), nullable=False),
            sa.Column('name', sa.String(), nullable=False),
            sa.Column('mark', sa.String(32), nullable=False),
            sa.Column('set_by', sa.String(), nullable=False),
            sa.Column('set_at', UtcDateTime(), nullable=False),
            sa.CheckConstraint("mark IN ('always', 'never')", name=op.f('ck_marked_rates_mark')),
            sa.ForeignKeyConstraint(['store_id'], ['stores.id'], name=op.f('fk_marked_rates_store_id_stores')),
            sa.PrimaryKeyConstraint('id', name=op.f('pk_marked_rates')),
            sa.UniqueConstraint('store_id', 'name', name=op.f('uq_marked_rates_store_id_name')),
        )
    orders = sa.table(
        'orders',
        sa.column('released', sa.Boolean),
        sa.column('released_holds', sa.JSON(none_as_null=True)),
        sa.column('state', sa.String),
    )
    # Sent orders don't need it.
    unsent = orders.c.state.in_(['held', 'ready', 'unconfirmed', 'rejected', 'closed'])
    op.execute(
        sa.update(orders)
        .where(orders.c.released, orders.c.released_holds.is_(sa.null()), unsent)
        .values(released_holds=RELEASED)
    )


def _add(inspector, table, column):
    if column.name not in {known['name'] for known in inspector.get_columns(table)}:
        op.add_column(table, column)


def downgrade():
    op.drop_table('marked_rates')
    op.drop_column('stores', 'time_zone')
    op.drop_column('orders', 'unlisted_since')
    op.drop_column('orders', 'released_holds')

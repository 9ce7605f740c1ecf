"""Add what outages need: hosts, chores, departure times, and why an order was closed

Revision ID: 3d5b8e6a1f47
Revises: 7c1f0a5d92be
Create Date: 2026-11-27 20:15:00.000000

"""
from alembic import op
import sqlalchemy as sa

from portal.models.base import UtcDateTime

# revision identifiers, used by Alembic.
revision = '3d5b8e6a1f47'
down_revision = '7c1f0a5d92be'
branch_labels = None
depends_on = None

# What earlier versions stored as the reason when they closed an order. A person's closing stays without a code.
CLOSED_BECAUSE = {
    'Marked as shipped in Big Cartel.': 'marked',
    'Set to shipped in Big Cartel.': 'marked',
    'No longer in Big Cartel.': 'gone',
    'Big Cartel has no such order any more.': 'gone',
    'Canceled at the warehouse.': 'canceled',
    'Cancelled at the warehouse.': 'canceled',
    'Shipped by the warehouse; no longer in Big Cartel.': 'shipped_but_gone',
    'Shipped by the warehouse; Big Cartel has no such order any more.': 'shipped_but_gone',
}


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
    tables = inspector.get_table_names()
    if 'hosts' not in tables:
        op.create_table(
            'hosts',
            sa.Column('name', sa.String(32), nullable=False),
            sa.Column('failing_since', UtcDateTime(), nullable=True),
            sa.Column('error', sa.Text(), nullable=False),
            sa.Column('probe_at', UtcDateTime(), nullable=False),
            sa.CheckConstraint("name IN ('bigcartel', 'fcp')", name=op.f('ck_hosts_name')),
            sa.PrimaryKeyConstraint('name', name=op.f('pk_hosts')),
        )
    if 'chores' not in tables:
        op.create_table(
            'chores',
            sa.Column('name', sa.String(), nullable=False),
            sa.Column('due_at', UtcDateTime(), nullable=False),
            sa.PrimaryKeyConstraint('name', name=op.f('pk_chores')),
        )
    _add(inspector, 'attempts', sa.Column('departed_at', UtcDateTime(), nullable=True))
    _add(inspector, 'orders', sa.Column('closed_because', sa.String(32), nullable=True))
    _add(inspector, 'merchants', sa.Column('credentials_checked_at', UtcDateTime(), nullable=True))
    _add(inspector, 'merchants', sa.Column('fcp_failing_since', UtcDateTime(), nullable=True))
    orders = sa.table('orders', sa.column('state'), sa.column('state_reason'), sa.column('closed_because'))
    for sentence, code in CLOSED_BECAUSE.items():
        op.execute(
            orders.update()
            .where(orders.c.state == 'closed', orders.c.state_reason == sentence)
            .values(closed_because=code)
        )


def _add(inspector, table, column):
    if column.name not in {known['name'] for known in inspector.get_columns(table)}:
        op.add_column(table, column)


def downgrade():
    op.drop_column('merchants', 'fcp_failing_since')
    op.drop_column('merchants', 'credentials_checked_at')
    op.drop_column('orders', 'closed_because')
    op.drop_column('attempts', 'departed_at')
    op.drop_table('chores')
    op.drop_table('hosts')

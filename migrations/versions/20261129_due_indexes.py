"""Add indexes of the stores, merchants and orders with work that is due

Revision ID: c1a7f04e8d35
Revises: 5d0e7a93c1b4
Create Date: 2026-11-29 09:20:00.000000

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = 'c1a7f04e8d35'
down_revision = '5d0e7a93c1b4'
branch_labels = None
depends_on = None

# name: (table, columns, condition)
INDEXES = {
    'ix_leases_owner': ('leases', ['owner'], "owner <> ''"),
    'ix_stores_products_refreshed_at': (
        'stores',
        ['products_refreshed_at'],
        "sealed_token <> '' AND reconnect_needed_at IS NULL",
    ),
    'ix_stores_dry_run_asked': ('stores', ['rehearsal_asked_at'], 'rehearsal_asked_at IS NOT NULL'),
    'ix_merchants_credentials_checked_at': (
        'merchants',
        ['credentials_checked_at'],
        'credentials_refused_at IS NOT NULL',
    ),
    'ix_orders_canceled': ('orders', ['state', 'state_changed_at', 'merchant_id'], "closed_because = 'canceled'"),
    'ix_orders_unpurged': (
        'orders',
        ['state', 'state_changed_at'],
        "state IN ('closed', 'completed') AND purged_at IS NULL",
    ),
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
        only = sa.text(condition)
        op.drop_index(name, table_name=table, if_exists=True, **options)
        op.create_index(name, table, columns, postgresql_where=only, sqlite_where=only, **options)


def downgrade():
    for name, (table, _, _) in INDEXES.items():
        op.drop_index(name, table_name=table)
    op.create_index('ix_leases_owner', 'leases', ['owner'])

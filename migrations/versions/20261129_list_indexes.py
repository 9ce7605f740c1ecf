"""Add indexes of the filtered lists: attempts that didn't go as planned, and parts of order numbers

Revision ID: 8e2b5c96a0f1
Revises: e4b19d7c2a60
Create Date: 2026-11-29 10:00:00.000000

"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

# revision identifiers, used by Alembic.
revision = '8e2b5c96a0f1'
down_revision = 'e4b19d7c2a60'
branch_labels = None
depends_on = None

INDEXES = {
    'ix_attempts_merchant_outcome': ['merchant_id', 'outcome', 'id'],
    'ix_attempts_outcome': ['outcome', 'id'],
}
NOT_DONE = "outcome <> 'done'"
TRIGRAMS = 'ix_orders_number_trigrams'


def upgrade():
    if op.get_bind().dialect.name == 'sqlite':
        _index()
        return
    # The tables can still be written while their indexes are made.
    with op.get_context().autocommit_block():
        _index(postgresql_concurrently=True)
        if _has_trigrams(op.get_bind()):
            op.drop_index(TRIGRAMS, table_name='orders', if_exists=True, postgresql_concurrently=True)
            op.create_index(
                TRIGRAMS,
                'orders',
                ['number'],
                postgresql_using='gin',
                postgresql_ops={'number': 'gin_trgm_ops'},
                postgresql_concurrently=True,
            )


def _index(**options):
    """Make the indexes. One whose making was interrupted is there, but PostgreSQL doesn't use it."""
    only = sa.text(NOT_DONE)
    for name, columns in INDEXES.items():
        op.drop_index(name, table_name='attempts', if_exists=True, **options)
        op.create_index(name, 'attempts', columns, postgresql_where=only, sqlite_where=only, **options)


def _has_trigrams(connection):
    """Return whether the database has pg_trgm now. Without it, a search for part of a number reads more orders."""
    is_there = sa.text("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
    if connection.scalar(is_there) is None:
        return False
    try:
        connection.execute(sa.text('CREATE EXTENSION IF NOT EXISTS pg_trgm'))
    except DBAPIError:  # only the owner of the database may
        return False
    return True


def downgrade():
    for name in INDEXES:
        op.drop_index(name, table_name='attempts')
    if op.get_bind().dialect.name != 'sqlite':
        # The extension stays: others may use it.
        op.drop_index(TRIGRAMS, table_name='orders', if_exists=True)

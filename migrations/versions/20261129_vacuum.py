"""Have PostgreSQL vacuum the large tables after small parts of them have changed

Revision ID: e4b19d7c2a60
Revises: c1a7f04e8d35
Create Date: 2026-11-29 09:58:00.000000

"""
from alembic import op

# revision identifiers, used by Alembic.
revision = 'e4b19d7c2a60'
down_revision = 'c1a7f04e8d35'
branch_labels = None
depends_on = None

TABLES = ('orders', 'attempts', 'order_events')
OPTIONS = {'autovacuum_vacuum_scale_factor': '0.02', 'autovacuum_analyze_scale_factor': '0.02'}


def upgrade():
    settings = ', '.join(f'{name} = {value}' for name, value in OPTIONS.items())
    _alter(f'SET ({settings})')


def downgrade():
    _alter(f"RESET ({', '.join(OPTIONS)})")


def _alter(what):
    """Change a setting of the tables. Reading and writing them goes on meanwhile."""
    if op.get_bind().dialect.name == 'postgresql':
        for table in TABLES:
            op.execute(f'ALTER TABLE {table} {what}')

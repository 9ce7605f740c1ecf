"""Add why a webhook was turned off, when an incident came back, and indexes of what is to be told

Revision ID: b7e3f1c4d968
Revises: a4d2c8e6b519
Create Date: 2026-11-28 05:55:00.000000

"""
from alembic import op
import sqlalchemy as sa

from portal.models.base import UtcDateTime

# revision identifiers, used by Alembic.
revision = 'b7e3f1c4d968'
down_revision = 'a4d2c8e6b519'
branch_labels = None
depends_on = None

IS_TOLD_AS_OPEN = 'opening_told_at IS NOT NULL AND (closing_told_at IS NULL OR closing_told_at < opening_told_at)'


def upgrade():
    if op.get_bind().dialect.name == 'sqlite':
        change()
        return
    # One transaction for each change, as in the migrations before.
    with op.get_context().autocommit_block():
        change()


def change():
    # Every change can be repeated: a migration that was interrupted leaves what it had done.
    inspector = sa.inspect(op.get_bind())
    for table, column in new_columns():
        if column.name not in {known['name'] for known in inspector.get_columns(table)}:
            op.add_column(table, column)
    known = {index['name'] for index in inspector.get_indexes('incidents')}
    for name, columns, options in INDEXES:
        if name not in known:
            op.create_index(name, 'incidents', columns, **options)


def new_columns():
    return (
        ('webhook_endpoints', sa.Column('disabled_because', sa.Text(), server_default='', nullable=False)),
        ('incidents', sa.Column('reopened_at', UtcDateTime(), nullable=True)),
    )


INDEXES = (
    ('ix_incidents_closed_at', ['closed_at'], {}),
    (
        'ix_incidents_told',
        ['id'],
        {'postgresql_where': sa.text(IS_TOLD_AS_OPEN), 'sqlite_where': sa.text(IS_TOLD_AS_OPEN)},
    ),
)


def downgrade():
    # The version before can't read incidents of a kind that it doesn't know.
    theirs = "(SELECT id FROM incidents WHERE kind = 'webhook_off')"
    op.execute(f'DELETE FROM messages WHERE incident_id IN {theirs}')
    op.execute(f'DELETE FROM incident_events WHERE incident_id IN {theirs}')
    op.execute("DELETE FROM incidents WHERE kind = 'webhook_off'")
    for name, _, _ in INDEXES:
        op.drop_index(name, 'incidents')
    for table, column in new_columns():
        op.drop_column(table, column.name)

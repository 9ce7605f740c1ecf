"""Add log-ins, so that logging out ends every copy of a cookie

Revision ID: e2b7d41f9a06
Revises: 6c1f0e9b2d73
Create Date: 2026-11-28 00:40:00.000000

"""
from alembic import op
import sqlalchemy as sa

from portal.models.base import UtcDateTime

# revision identifiers, used by Alembic.
revision = 'e2b7d41f9a06'
down_revision = '6c1f0e9b2d73'
branch_labels = None
depends_on = None


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
    if 'log_ins' not in inspector.get_table_names():
        op.create_table(
            'log_ins',
            sa.Column('id', sa.Integer(), nullable=False),
            sa.Column('user_id', sa.Integer(), nullable=False),
            sa.Column('key_hash', sa.String(), nullable=False),
            sa.Column('is_remembered', sa.Boolean(), nullable=False),
            sa.Column('created_at', UtcDateTime(), nullable=False),
            sa.Column('expires_at', UtcDateTime(), nullable=False),
            # An older version that is still running removes people without knowing this table.
            sa.ForeignKeyConstraint(
                ['user_id'], ['users.id'], name=op.f('fk_log_ins_user_id_users'), ondelete='CASCADE'
            ),
            sa.PrimaryKeyConstraint('id', name=op.f('pk_log_ins')),
            sa.UniqueConstraint('key_hash', name=op.f('uq_log_ins_key_hash')),
        )
    indexes = {index['name'] for index in sa.inspect(op.get_bind()).get_indexes('log_ins')}
    if 'ix_log_ins_user_id' not in indexes:
        op.create_index(op.f('ix_log_ins_user_id'), 'log_ins', ['user_id'])


def downgrade():
    op.drop_table('log_ins')

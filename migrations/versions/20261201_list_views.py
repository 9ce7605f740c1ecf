"""Add how each person sees the order list, and the filters that they saved

Revision ID: 7ad3c05e91b8
Revises: 1c7e94d0b3f6
Create Date: 2026-12-01 10:00:00.000000

"""
from alembic import op
import sqlalchemy as sa

from portal.models.base import UtcDateTime

# revision identifiers, used by Alembic.
revision = '7ad3c05e91b8'
down_revision = '1c7e94d0b3f6'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('users', sa.Column('order_list', sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        'saved_filters',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('user_id', sa.Integer(), nullable=False),
        sa.Column('merchant_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('query', sa.Text(), nullable=False),
        sa.Column('created_at', UtcDateTime(), nullable=False),
        # An older version that is still running removes people without knowing this table.
        sa.ForeignKeyConstraint(
            ['user_id'], ['users.id'], name=op.f('fk_saved_filters_user_id_users'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['merchant_id'], ['merchants.id'], name=op.f('fk_saved_filters_merchant_id_merchants')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_filters')),
        sa.UniqueConstraint('user_id', 'merchant_id', 'name', name=op.f('uq_saved_filters_user_id_merchant_id_name')),
    )


def downgrade():
    op.drop_table('saved_filters')
    op.drop_column('users', 'order_list')

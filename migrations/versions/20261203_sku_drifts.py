"""Add the SKUs that changed with their products; the next sync of a changed product writes the first

Revision ID: 7a2f90c4e6d1
Revises: 4c1d8e72f0b9
Create Date: 2026-12-03 09:00:00.000000

"""
from alembic import op
import sqlalchemy as sa

from portal.models.base import UtcDateTime

# revision identifiers, used by Alembic.
revision = '7a2f90c4e6d1'
down_revision = '4c1d8e72f0b9'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'sku_drifts',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('store_id', sa.Integer(), nullable=False),
        sa.Column('product_id', sa.String(), nullable=False),
        sa.Column('option_id', sa.String(), nullable=False),
        sa.Column('option', sa.String(), nullable=False),
        sa.Column('old_sku', sa.String(), nullable=False),
        sa.Column('new_sku', sa.String(), nullable=False),
        sa.Column('at', UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(['store_id'], ['stores.id'], name=op.f('fk_sku_drifts_store_id_stores')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_sku_drifts')),
    )
    op.create_index('ix_sku_drifts_store', 'sku_drifts', ['store_id', 'at'])


def downgrade():
    op.drop_table('sku_drifts')

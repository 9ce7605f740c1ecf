"""Add the SKU verdicts of products; the next sync of a store's products, or the first look at them, fills them

Revision ID: 5d0e7a93c1b4
Revises: b7e3f1c4d968
Create Date: 2026-11-29 09:30:00.000000

"""
from alembic import op
import sqlalchemy as sa

from portal.models.base import UtcDateTime

# revision identifiers, used by Alembic.
revision = '5d0e7a93c1b4'
down_revision = 'b7e3f1c4d968'
branch_labels = None
depends_on = None


def upgrade():
    # First, because it needs the strongest lock: one that had to grow could deadlock with a running worker.
    op.add_column('stores', sa.Column('skus_judged_for', UtcDateTime(), nullable=True))
    op.create_table(
        'sku_verdicts',
        sa.Column('store_id', sa.Integer(), nullable=False),
        sa.Column('product_id', sa.String(), nullable=False),
        sa.Column('rules', sa.Integer(), nullable=False),
        sa.Column('level', sa.SmallInteger(), nullable=False),
        sa.Column('level_if_left_out', sa.SmallInteger(), nullable=False),
        sa.Column('is_without_sku', sa.Boolean(), nullable=False),
        sa.Column('is_forgettable', sa.Boolean(), nullable=False),
        sa.Column('shares_sku', sa.Boolean(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('sort_key', sa.String(), nullable=False),
        sa.Column('search', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['store_id'], ['stores.id'], name=op.f('fk_sku_verdicts_store_id_stores')),
        sa.PrimaryKeyConstraint('store_id', 'product_id', name=op.f('pk_sku_verdicts')),
    )
    op.create_table(
        'option_skus',
        sa.Column('store_id', sa.Integer(), nullable=False),
        sa.Column('product_id', sa.String(), nullable=False),
        sa.Column('option_id', sa.String(), nullable=False),
        sa.Column('option', sa.String(), nullable=False),
        sa.Column('sku', sa.String(), nullable=False),
        sa.ForeignKeyConstraint(['store_id'], ['stores.id'], name=op.f('fk_option_skus_store_id_stores')),
        sa.PrimaryKeyConstraint('store_id', 'product_id', 'option_id', name=op.f('pk_option_skus')),
    )
    op.create_index('ix_option_skus_sku', 'option_skus', ['store_id', 'sku'])


def downgrade():
    op.drop_column('stores', 'skus_judged_for')
    op.drop_table('option_skus')
    op.drop_table('sku_verdicts')

"""Add what TEST orders told about services and merchants' names

Revision ID: 4c1d8e72f0b9
Revises: 7ad3c05e91b8
Create Date: 2026-12-02 10:00:00.000000

"""
from alembic import op
import sqlalchemy as sa

from portal.models.base import UtcDateTime

# revision identifiers, used by Alembic.
revision = '4c1d8e72f0b9'
down_revision = '7ad3c05e91b8'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'warehouse_checks',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('merchant_id', sa.Integer(), nullable=False),
        sa.Column('service', sa.String(), nullable=False),
        sa.Column(
            'verdict', sa.Enum('accepted', 'rejected', name='verdict', native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column('words', sa.Text(), nullable=False),
        sa.Column('problem', sa.Text(), nullable=False),
        sa.Column('tried_at', UtcDateTime(), nullable=True),
        sa.Column('due_at', UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ['merchant_id'], ['merchants.id'], name=op.f('fk_warehouse_checks_merchant_id_merchants')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_warehouse_checks')),
    )
    for name, column, is_unique, condition in (
        ('uq_warehouse_checks_service', 'service', True, "service <> ''"),
        ('uq_warehouse_checks_name', 'merchant_id', True, "service = ''"),
        ('ix_warehouse_checks_due_at', 'due_at', False, 'due_at IS NOT NULL'),
    ):
        op.create_index(
            name, 'warehouse_checks', [column], unique=is_unique,
            postgresql_where=sa.text(condition), sqlite_where=sa.text(condition),
        )


def downgrade():
    op.drop_table('warehouse_checks')

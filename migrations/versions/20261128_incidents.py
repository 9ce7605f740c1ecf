"""Add incidents, messages, an order's history and notes

Revision ID: a4d2c8e6b519
Revises: e2b7d41f9a06
Create Date: 2026-11-28 02:20:00.000000

"""
from alembic import op
import sqlalchemy as sa

from portal.models.base import UtcDateTime

# revision identifiers, used by Alembic.
revision = 'a4d2c8e6b519'
down_revision = 'e2b7d41f9a06'
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
    for table, column in new_columns():
        if column.name not in {known['name'] for known in inspector.get_columns(table)}:
            op.add_column(table, column)
    known = set(inspector.get_table_names())
    for name, create in TABLES.items():
        if name not in known:
            create()
    inspector = sa.inspect(op.get_bind())
    for name, table, columns, options in INDEXES:
        if name not in {index['name'] for index in inspector.get_indexes(table)}:
            op.create_index(name, table, columns, **options)


def new_columns():
    return (
        ('merchants', sa.Column('alert_hold_hours', sa.Integer(), server_default='24', nullable=False)),
        ('merchants', sa.Column('alert_ageing_days', sa.Integer(), server_default='3', nullable=False)),
        ('merchants', sa.Column('alert_sync_minutes', sa.Integer(), server_default='10', nullable=False)),
        ('merchants', sa.Column('morning_note', sa.Boolean(), server_default=sa.false(), nullable=False)),
        ('stores', sa.Column('unusable_skus', sa.Integer(), server_default='0', nullable=False)),
        ('stores', sa.Column('noted_on', sa.String(), server_default='', nullable=False)),
        ('users', sa.Column('alerts', sa.String(length=32), server_default='all', nullable=False)),
        ('users', sa.Column('muted', sa.JSON(), server_default='[]', nullable=False)),
    )


def only_where(condition):
    return {'postgresql_where': sa.text(condition), 'sqlite_where': sa.text(condition)}


def create_incidents():
    op.create_table(
        'incidents',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=32), nullable=False),
        sa.Column('key', sa.String(), nullable=False),
        sa.Column('merchant_id', sa.Integer(), nullable=True),
        sa.Column('subject', sa.String(), nullable=False),
        sa.Column('title', sa.Text(), nullable=False),
        sa.Column('explanation', sa.Text(), nullable=False),
        sa.Column('orders', sa.Integer(), nullable=False),
        sa.Column('most_orders', sa.Integer(), nullable=False),
        sa.Column('order_numbers', sa.JSON(), nullable=False),
        sa.Column('opened_at', UtcDateTime(), nullable=False),
        sa.Column('found_at', UtcDateTime(), nullable=False),
        sa.Column('checked_at', UtcDateTime(), nullable=False),
        sa.Column('closed_at', UtcDateTime(), nullable=True),
        sa.Column('outcome', sa.Text(), nullable=False),
        sa.Column('opening_told_at', UtcDateTime(), nullable=True),
        sa.Column('closing_told_at', UtcDateTime(), nullable=True),
        sa.Column('reminded_at', UtcDateTime(), nullable=True),
        sa.Column('acknowledged_at', UtcDateTime(), nullable=True),
        sa.Column('acknowledged_by', sa.String(), nullable=False),
        sa.CheckConstraint('most_orders >= orders', name=op.f('ck_incidents_most_orders')),
        sa.CheckConstraint('orders >= 0', name=op.f('ck_incidents_orders')),
        sa.ForeignKeyConstraint(['merchant_id'], ['merchants.id'], name=op.f('fk_incidents_merchant_id_merchants')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_incidents')),
    )


def create_incident_events():
    op.create_table(
        'incident_events',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('incident_id', sa.Integer(), nullable=False),
        sa.Column('at', UtcDateTime(), nullable=False),
        sa.Column('sentence', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['incident_id'], ['incidents.id'], name=op.f('fk_incident_events_incident_id_incidents'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_incident_events')),
    )


def create_messages():
    op.create_table(
        'messages',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('key', sa.String(), nullable=False),
        sa.Column('channel', sa.String(length=32), nullable=False),
        sa.Column('kind', sa.String(length=32), nullable=False),
        sa.Column('merchant_id', sa.Integer(), nullable=True),
        sa.Column('user_id', sa.Integer(), nullable=True),
        sa.Column('incident_id', sa.Integer(), nullable=True),
        sa.Column('recipient', sa.String(), nullable=False),
        sa.Column('subject', sa.Text(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('html', sa.Text(), nullable=False),
        sa.Column('unsubscribe_kind', sa.String(), nullable=False),
        sa.Column('created_at', UtcDateTime(), nullable=False),
        sa.Column('next_attempt_at', UtcDateTime(), nullable=True),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('sent_at', UtcDateTime(), nullable=True),
        sa.Column('folded_into', sa.Integer(), nullable=True),
        sa.Column('error', sa.Text(), nullable=False),
        sa.Column('http_status', sa.Integer(), nullable=True),
        sa.CheckConstraint("channel IN ('email', 'webhook')", name=op.f('ck_messages_channel')),
        sa.CheckConstraint('sent_at IS NULL OR next_attempt_at IS NULL', name=op.f('ck_messages_sent_at')),
        sa.CheckConstraint('tries >= 0', name=op.f('ck_messages_tries')),
        sa.ForeignKeyConstraint(['folded_into'], ['messages.id'], name=op.f('fk_messages_folded_into_messages'), ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['incident_id'], ['incidents.id'], name=op.f('fk_messages_incident_id_incidents'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['merchant_id'], ['merchants.id'], name=op.f('fk_messages_merchant_id_merchants')),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_messages_user_id_users'), ondelete='SET NULL'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_messages')),
        sa.UniqueConstraint('key', name=op.f('uq_messages_key')),
    )


def create_webhook_endpoints():
    op.create_table(
        'webhook_endpoints',
        sa.Column('merchant_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('sealed_url', sa.Text(), nullable=False),
        sa.Column('format', sa.String(length=32), nullable=False),
        sa.Column('sealed_secret', sa.Text(), nullable=False),
        sa.Column('created_at', UtcDateTime(), nullable=False),
        sa.Column('disabled_at', UtcDateTime(), nullable=True),
        sa.CheckConstraint("format IN ('slack', 'standard')", name=op.f('ck_webhook_endpoints_format')),
        sa.ForeignKeyConstraint(['merchant_id'], ['merchants.id'], name=op.f('fk_webhook_endpoints_merchant_id_merchants')),
        sa.PrimaryKeyConstraint('merchant_id', name=op.f('pk_webhook_endpoints')),
    )


def create_order_events():
    op.create_table(
        'order_events',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('order_id', sa.Integer(), nullable=False),
        sa.Column('merchant_id', sa.Integer(), nullable=False),
        sa.Column('at', UtcDateTime(), nullable=False),
        sa.Column('from_state', sa.String(length=32), nullable=True),
        sa.Column('to_state', sa.String(length=32), nullable=False),
        sa.Column('holds', sa.JSON(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('actor', sa.String(), nullable=False),
        sa.ForeignKeyConstraint(['order_id', 'merchant_id'], ['orders.id', 'orders.merchant_id'], name=op.f('fk_order_events_order_id_merchant_id_orders'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_order_events')),
    )


def create_changes_after_sending():
    op.create_table(
        'changes_after_sending',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('order_id', sa.Integer(), nullable=False),
        sa.Column('merchant_id', sa.Integer(), nullable=False),
        sa.Column('at', UtcDateTime(), nullable=False),
        sa.Column('fields', sa.JSON(), nullable=False),
        sa.Column('acknowledged_at', UtcDateTime(), nullable=True),
        sa.Column('acknowledged_by', sa.String(), nullable=False),
        sa.ForeignKeyConstraint(['order_id', 'merchant_id'], ['orders.id', 'orders.merchant_id'], name=op.f('fk_changes_after_sending_order_id_merchant_id_orders'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_changes_after_sending')),
    )


def create_notes():
    op.create_table(
        'notes',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('merchant_id', sa.Integer(), nullable=False),
        sa.Column('order_id', sa.Integer(), nullable=True),
        sa.Column('at', UtcDateTime(), nullable=False),
        sa.Column('author', sa.String(), nullable=False),
        sa.Column('is_by_support', sa.Boolean(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['merchant_id'], ['merchants.id'], name=op.f('fk_notes_merchant_id_merchants')),
        sa.ForeignKeyConstraint(['order_id', 'merchant_id'], ['orders.id', 'orders.merchant_id'], name=op.f('fk_notes_order_id_merchant_id_orders'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_notes')),
    )


TABLES = {
    'incidents': create_incidents,
    'incident_events': create_incident_events,
    'messages': create_messages,
    'webhook_endpoints': create_webhook_endpoints,
    'order_events': create_order_events,
    'changes_after_sending': create_changes_after_sending,
    'notes': create_notes,
}
INDEXES = (
    ('ix_incidents_merchant', 'incidents', ['merchant_id', 'id'], {}),
    ('uq_incidents_open', 'incidents', ['key'], {'unique': True, **only_where('closed_at IS NULL')}),
    ('ix_incident_events_incident_id', 'incident_events', ['incident_id'], {}),
    ('ix_messages_due', 'messages', ['next_attempt_at'], {**only_where('next_attempt_at IS NOT NULL')}),
    ('ix_messages_folded_into', 'messages', ['folded_into'], {}),
    ('ix_messages_incident_id', 'messages', ['incident_id'], {}),
    ('ix_messages_merchant', 'messages', ['merchant_id', 'id'], {}),
    ('ix_messages_recipient', 'messages', ['recipient', 'sent_at'], {}),
    ('ix_messages_user_id', 'messages', ['user_id'], {}),
    ('ix_order_events_order', 'order_events', ['order_id', 'id'], {}),
    ('ix_changes_after_sending_open', 'changes_after_sending', ['merchant_id'], {**only_where('acknowledged_at IS NULL')}),
    ('ix_changes_after_sending_order', 'changes_after_sending', ['order_id', 'id'], {}),
    ('ix_notes_merchant', 'notes', ['merchant_id', 'id'], {}),
    ('ix_notes_order', 'notes', ['order_id', 'id'], {}),
)


def downgrade():
    for name in reversed(TABLES):
        op.drop_table(name)
    for table, column in new_columns():
        op.drop_column(table, column.name)

"""Add constraints: one owner per order and attempt, known enum values, valid numbers

Revision ID: 7c1f0a5d92be
Revises: 1eb88bf85eed
Create Date: 2026-11-27 14:55:00.000000

"""
import time
from contextlib import contextmanager

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision = '7c1f0a5d92be'
down_revision = '1eb88bf85eed'
branch_labels = None
depends_on = None

LOCK_NOT_AVAILABLE = '55P03'
LOCK_TRIES = 30

# Parents before children. portal/models explains each constraint.
TABLES = ('merchants', 'users', 'stores', 'orders', 'attempts')
CHECKS = {
    'merchants': {
        'ck_merchants_id': "id > 0",
        'ck_merchants_fcp_failures': "fcp_failures >= 0",
    },
    'users': {
        'ck_users_role': "role IN ('merchant', 'support')",
        'ck_users_merchant_id': "(role = 'support') = (merchant_id IS NULL)",
    },
    'stores': {
        'ck_stores_poll_failures': "poll_failures >= 0",
    },
    'orders': {
        'ck_orders_state': (
            "state IN ('held', 'ready', 'submitting', 'unconfirmed', 'rejected', 'submitted', 'shipped', 'completed', "
            "'closed')"
        ),
        'ck_orders_failures': "failures >= 0",
        'ck_orders_claim': "(state = 'submitting') = (claim <> '')",
        'ck_orders_submitted_at': "state NOT IN ('completed', 'shipped', 'submitted') OR submitted_at IS NOT NULL",
        'ck_orders_completed_at': "state <> 'completed' OR completed_at IS NOT NULL",
    },
    'attempts': {
        'ck_attempts_kind': "kind IN ('submit', 'status', 'mark_shipped')",
        'ck_attempts_trigger': "\"trigger\" IN ('schedule', 'person')",
        'ck_attempts_outcome': (
            "outcome IN ('open', 'done', 'not_sent', 'unknown', 'refused', 'duplicate', 'unauthorized', 'not_found', "
            "'interrupted')"
        ),
        'ck_attempts_finished_at': "(outcome = 'open') = (finished_at IS NULL)",
    },
}
# table: (name, columns). Each is the target of a foreign key and replaces an index that queries used.
UNIQUES = {
    'stores': ('uq_stores_merchant_id_id', ['merchant_id', 'id']),
    'orders': ('uq_orders_merchant_id_id', ['merchant_id', 'id']),
}
REPLACED_INDEXES = {
    'stores': ('ix_stores_merchant_id', ['merchant_id']),
    'orders': ('ix_orders_merchant', ['merchant_id', 'id']),
}
# table: (name, columns, referenced table, referenced columns)
FOREIGN_KEYS = {
    'orders': ('fk_orders_store_id_merchant_id_stores', ['store_id', 'merchant_id'], 'stores', ['id', 'merchant_id']),
    'attempts': (
        'fk_attempts_order_id_merchant_id_orders', ['order_id', 'merchant_id'], 'orders', ['id', 'merchant_id']
    ),
}
REPLACED_FOREIGN_KEYS = {
    'orders': ('fk_orders_store_id_stores', ['store_id'], 'stores', ['id']),
    'attempts': ('fk_attempts_order_id_orders', ['order_id'], 'orders', ['id']),
}


def upgrade():
    if op.get_bind().dialect.name == 'sqlite':
        reject_broken_rows()
        recreate(upwards=True)
        return
    with op.get_context().autocommit_block(), own_lock_timeout():
        take_back()  # leftovers of an upgrade that was killed halfway
        reject_broken_rows()
        try:
            constrain()
        except BaseException:
            take_back()
            raise


def downgrade():
    if op.get_bind().dialect.name == 'sqlite':
        recreate(upwards=False)
        return
    with op.get_context().autocommit_block(), own_lock_timeout():
        take_back()


def reject_broken_rows():
    """Raise RuntimeError if rows break the new constraints, naming each constraint and up to five of its rows."""
    problems = []
    for table in TABLES:
        rules = {name: f"SELECT id FROM {table} WHERE NOT ({rule})" for name, rule in CHECKS[table].items()}
        if table in FOREIGN_KEYS:
            name, columns, parent, keys = FOREIGN_KEYS[table]
            owner = " AND ".join(f"p.{key} = c.{column}" for key, column in zip(keys, columns))
            rules[name] = f"SELECT c.id FROM {table} c LEFT JOIN {parent} p ON {owner} WHERE p.id IS NULL"
        for name, query in rules.items():
            ids = op.get_bind().execute(sa.text(f"{query} ORDER BY 1 LIMIT 5")).scalars().all()
            if ids:
                problems.append(f"rows of {table} break {name}: id {', '.join(map(str, ids))}")
    if problems:
        raise RuntimeError(
            "Nothing was changed, because some rows break the new constraints (up to 5 rows are listed for each): "
            f"{'; '.join(problems)}. Fix these rows, then run the upgrade again."
        )


# SQLite copies each table, all in one transaction. migrations/env.py has turned foreign keys off, because dropping the
# old tables would fail otherwise; they are checked at the end instead.


def recreate(*, upwards):
    made, dropped = (FOREIGN_KEYS, REPLACED_FOREIGN_KEYS) if upwards else (REPLACED_FOREIGN_KEYS, FOREIGN_KEYS)
    for table in TABLES:
        with op.batch_alter_table(table, recreate='always') as batch_op:
            if table in made:
                name, columns, parent, keys = made[table]
                batch_op.drop_constraint(op.f(dropped[table][0]), type_='foreignkey')
                batch_op.create_foreign_key(op.f(name), parent, columns, keys)
            if table in UNIQUES:
                (unique, unique_columns), (index, index_columns) = UNIQUES[table], REPLACED_INDEXES[table]
                if upwards:
                    batch_op.drop_index(index)
                    batch_op.create_unique_constraint(op.f(unique), unique_columns)
                else:
                    batch_op.drop_constraint(op.f(unique), type_='unique')
                    batch_op.create_index(op.f(index), index_columns)
            for name, rule in CHECKS[table].items():
                if upwards:
                    batch_op.create_check_constraint(op.f(name), rule)
                else:
                    batch_op.drop_constraint(op.f(name), type_='check')
    orphans = op.get_bind().execute(sa.text("PRAGMA foreign_key_check")).all()
    if orphans:
        raise RuntimeError(f"Nothing was changed, because some rows refer to rows that don't exist: {orphans}")


# PostgreSQL runs each statement in its own transaction. Statements that lock out other sessions read no rows and wait
# for the lock only briefly. Statements that read rows (VALIDATE, CONCURRENTLY) let other sessions read and write.


def constrain():
    for table, (name, columns) in UNIQUES.items():
        without_lock(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({', '.join(columns)})")
    for table in TABLES:
        added = [f"ADD CONSTRAINT {name} CHECK ({rule}) NOT VALID" for name, rule in CHECKS[table].items()]
        if table in UNIQUES:
            name = UNIQUES[table][0]
            added.append(f"ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")
        if table in FOREIGN_KEYS:
            added.append(foreign_key(*FOREIGN_KEYS[table]))
        alter(table, added)
    for table in TABLES:
        for name in [*CHECKS[table], *(FOREIGN_KEYS[table][:1] if table in FOREIGN_KEYS else ())]:
            without_lock(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    for table, (name, *_) in REPLACED_FOREIGN_KEYS.items():
        alter(table, [f"DROP CONSTRAINT {name}"])
    for name, _ in REPLACED_INDEXES.values():
        without_lock(f"DROP INDEX CONCURRENTLY {name}")


def take_back():
    """Restore the constraints and indexes of the previous revision, however many of the new ones exist."""
    for table, (name, columns) in REPLACED_INDEXES.items():
        if name not in valid_indexes():
            without_lock(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            without_lock(f"CREATE INDEX CONCURRENTLY {name} ON {table} ({', '.join(columns)})")
    for table, key in REPLACED_FOREIGN_KEYS.items():
        if key[0] not in constraints(table):
            alter(table, [foreign_key(*key)])
        without_lock(f"ALTER TABLE {table} VALIDATE CONSTRAINT {key[0]}")
    for table in reversed(TABLES):
        ours = [*CHECKS[table], *(names[table][0] for names in (UNIQUES, FOREIGN_KEYS) if table in names)]
        there = constraints(table)
        alter(table, [f"DROP CONSTRAINT {name}" for name in ours if name in there])
    for name, _ in UNIQUES.values():
        without_lock(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def foreign_key(name, columns, parent, keys):
    return (
        f"ADD CONSTRAINT {name} FOREIGN KEY ({', '.join(columns)}) "
        f"REFERENCES {parent} ({', '.join(keys)}) NOT VALID"
    )


def alter(table, changes):
    """Change the table under a short lock.

    Other sessions queue up behind it while it waits for the lock. It therefore gives up within a second, lets them
    through and tries again. After a second PostgreSQL would check for deadlocks and might abort another transaction.
    """
    if not changes:
        return
    op.execute("SET lock_timeout = '800ms'")
    for tries_left in reversed(range(LOCK_TRIES)):
        try:
            op.execute(f"ALTER TABLE {table} {', '.join(changes)}")
            return
        except sa.exc.OperationalError as error:
            if error.orig.sqlstate != LOCK_NOT_AVAILABLE or not tries_left:
                raise
            time.sleep(1)


def without_lock(statement):
    """Execute a statement that doesn't block other sessions, so it can wait for them as long as necessary."""
    op.execute("SET lock_timeout = 0")
    op.execute(statement)


@contextmanager
def own_lock_timeout():
    """Reset lock_timeout before the connection returns to the pool."""
    try:
        yield
    finally:
        op.execute("RESET lock_timeout")


def constraints(table):
    query = sa.text("SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(:name)")
    return set(op.get_bind().execute(query, {'name': table}).scalars())


def valid_indexes():
    query = "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = oid WHERE indisvalid AND pg_table_is_visible(oid)"
    return set(op.get_bind().execute(sa.text(query)).scalars())

"""Fill a database with many merchants, stores, and orders by SQL alone, within seconds. Nothing of it can be sent.

Each merchant has one store. Nine of ten orders are completed and one in thirty is closed. One store in a hundred has
new orders, half of the merchants have some at the warehouse, one in a hundred has rejected credentials, and as many
stores are disconnected. What recurs (syncs, statuses, product lists) is spread over its interval, up to ``now``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

TRACK_SECONDS, TICK_SECONDS = 300, 5


@dataclass(frozen=True, slots=True)
class _Orders:
    """Some of the orders: how many and of how many merchants, and their columns in SQL; ``i`` counts them from 0."""

    count: int
    merchants: int
    state: str
    due: str = "NULL"
    changed: str = "60"
    columns: str = ""
    values: str = ""


def fill(connection: Connection, stores: int, orders: int, now: datetime, *, percent_there: int = 5) -> None:
    """Fill the empty tables, with so many percent of the orders at the warehouse. The caller commits."""
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite and connection.scalar(text("SELECT current_setting('is_superuser')")) == "on":
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # without checking the foreign keys

    def ago(seconds: str) -> str:
        """Return SQL for a time this many seconds (SQL) before now; NULL if they are."""
        if is_sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%f', :now, (-({seconds})) || ' seconds')"
        return f"CAST(:now AS timestamptz) - ({seconds}) * interval '1 second'"

    def insert(table: str, columns: dict[str, str], count: int) -> None:
        counted = "WITH RECURSIVE counted(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM counted WHERE i + 1 < :count)"
        into, values = f"INSERT INTO {table} ({', '.join(columns)})", ", ".join(columns.values())
        connection.execute(
            text(f"{counted} {into} SELECT {values} FROM counted"),  # noqa: S608 - the values are ours
            {"count": count, "now": now.replace(tzinfo=None).isoformat(" ") if is_sqlite else now},
        )

    true, false = ("1", "0") if is_sqlite else ("true", "false")
    token = f"'{'x' * 180}'"
    insert(
        "merchants",
        {
            "id": "i + 1",
            "name": "'Merchant ' || i",
            "sealed_token": token,
            "domestic_service": "'USPS_MEDIA'",
            "international_service": "'EPGEPACKT'",
            "territories_domestic": false,
            "submit_unpaid": false,
            "ignore_items_without_sku": false,
            "paused": false,
            "test_mode": false,
            "rules_changed_at": ago("1000000"),
            "credentials_refused_at": ago("CASE WHEN i % 100 = 7 THEN 100000 END"),
            "credentials_refused_words": "''",
            "credentials_checked_at": ago("CASE WHEN i % 100 = 7 THEN 500 + i % 200 END"),
            "fcp_after": ago("CASE WHEN i % 200 = 8 THEN -60 END"),
            "fcp_failures": "0",
            "fcp_error": "''",
            # Those in the upper half have nothing at the warehouse but canceled orders.
            "last_tracked_at": ago(
                f"i % CASE WHEN i < {stores} / 2 THEN {TRACK_SECONDS} ELSE 3600 END + i % {TICK_SECONDS}"
            ),
            "tracking_error": "''",
            "morning_note": true,
            "created_at": ago("1000000"),
        },
        stores,
    )
    is_gone = "i % 100 = 3"
    insert(
        "stores",
        {
            "id": "i + 1",
            "merchant_id": "i + 1",
            "account_id": "'' || (1000000 + i)",
            "name": "'Store ' || i",
            "url": "'https://store-' || i || '.example'",
            "time_zone": "'America/New_York'",
            "sealed_token": f"CASE WHEN {is_gone} THEN '' ELSE {token} END",
            "connected_at": ago("1000000"),
            "live": true,
            "rehearsal_asked_at": ago("CASE WHEN i % 5000 = 11 THEN 10 END"),
            "rehearsal_total": "0",
            "rehearsal_problem": "''",
            "next_poll_at": ago(f"CASE WHEN NOT {is_gone} THEN i * 7 % 60 - {60 - TICK_SECONDS} END"),
            "poll_failures": "0",
            "poll_error": "''",
            "cursor": ago("i % 100000"),
            "window_count": "i % 3",
            "last_polled_at": ago("i * 7 % 60"),
            "last_swept_at": ago("i % 3600"),
            "products_refreshed_at": ago(f"i * 11 % {3600 + TICK_SECONDS}"),
        },
        stores,
    )
    for work in ("read", "submit", "track"):
        insert("leases", {"name": f"'{work}:' || (i + 1)", "owner": "''", "until": ago("i % 3600 + 1")}, stores)
    new, late = max(stores // 100, 1), "1 + i % 1000"
    at_the_warehouse = orders * percent_there // 100
    kinds = (
        _Orders(2 * new, new, "ready", due=late, changed=late),
        _Orders(new, new, "ready", due="-3600", changed="86400"),
        _Orders(new // 5 + 1, new, "unconfirmed", due=late),
        _Orders(new // 10 + 1, new, "submitting", columns="claim", values="'owner-' || i"),
        _Orders(new // 5 + 1, stores, "shipped", due=late),
        _Orders(orders // 50, stores, "held", changed="i % 1000000"),
        _Orders(orders // 300, stores, "rejected", changed="i % 1000000"),
        _Orders(at_the_warehouse, stores // 2 or 1, "submitted", changed="i % 200000"),
        _Orders(orders // 500, stores, "closed", changed="i % 2000000", columns="closed_because", values="'canceled'"),
        _Orders(
            orders // 30, stores, "closed", changed="i * 300 % 20000000", columns="closed_because", values="'marked'"
        ),
    )
    numbered = 0
    rest = orders - sum(kind.count for kind in kinds)
    # Orders are purged after 90 days.
    old = f"86400 + CAST(i AS bigint) * 15552000 / {rest}"
    done = _Orders(
        rest,
        stores,
        "completed",
        changed=old,
        columns="purged_at",
        values=ago(f"CASE WHEN {old} > 7776000 THEN 60 END"),
    )
    for kind in (*kinds, done):
        sent = kind.state in {"submitted", "shipped", "completed", "closed"}
        merchant = f"1 + CAST(i AS bigint) * 7919 % {kind.merchants}"
        columns = {
            "merchant_id": merchant,
            "store_id": merchant,
            "number": f"'LMFN-' || ({100_000 + numbered} + i)",
            "state": f"'{kind.state}'",
            "state_changed_at": ago(kind.changed),
            "state_reason": "''",
            "document": "'{}'" if kind.state in {"completed", "closed"} else f"'{'x' * 1000}'",
            "first_seen_at": ago(kind.changed),
            "holds": "'[]'",
            "lines": "'[]'",
            "shipping_code": "'DOMESTIC_DEFAULT'",
            "service": "'USPS_MEDIA'",
            "released": false,
            "claim": "''",
            "next_attempt_at": ago(kind.due) if kind.due != "NULL" else "NULL",
            "failures": "0",
            "fcp_order_id": f"'' || ({numbered} + i)" if sent else "''",
            "fcp_status": "''",
            "submitted_at": ago(kind.changed) if sent else "NULL",
            "shipped_on": "''",
            "carrier": "''",
            "tracking_numbers": "'[]'",
            "completed_at": ago(kind.changed) if kind.state == "completed" else "NULL",
        }
        if kind.columns:
            columns[kind.columns] = kind.values
        insert("orders", columns, kind.count)
        numbered += kind.count

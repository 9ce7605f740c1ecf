"""Lists: keyset pages that don't shift as rows are added, links that keep the filters, and filtered CSV files."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlencode

from flask import Response, request, stream_with_context, url_for
from sqlalchemy import or_, select, tuple_, union_all

from portal.extensions import db
from portal.models.base import MAX_ID
from portal.rules.visible_text import INVISIBLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import InstrumentedAttribute

Row = TypeVar("Row")
Column = tuple[str, "Callable[[Row], object]"]
"""A CSV column: its title, and the function that returns a row's value."""

PER_PAGE = 50
CSV_PART = 500
"""Rows of a CSV file that are read, and sent, together."""
_SIGNS = (
    "=\uff1d\ufe66\u207c\u208c\u2a75\u2a76+\uff0b\ufe62\u207a\u208a\ufb29@\uff20\ufe6b\\-\u2212\uff0d\ufe63\u207b\u208b"
)
"""What starts a formula, also in full-width, small, raised, and lowered forms: some spreadsheets read them alike."""
_BLANK = f"\\s\u2800{INVISIBLE}"
_FORMULA = re.compile(f"'*(?:[\\t\\r\\n]|[{_BLANK}]*[{_SIGNS}])")
_NEXT_CELL = re.compile(f"([;|\\t\\r\\n][;|\"{_BLANK}]*)('*[{_SIGNS}])?")
"""Where a spreadsheet that splits the file at semicolons, for example, starts a cell within one of ours.

It ignores our quotes, because they aren't where its own cells begin. Apostrophes that stand before a sign get one
more, so that unguarded() knows which one is ours.
"""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list, newest first. ``older`` and ``newest`` are links that keep the filters, or None.

    Of a list that is oldest first, they are the next page, and the first one.
    """

    rows: Sequence[Row]
    older: str | None
    newest: str | None


@dataclass(frozen=True, slots=True)
class ByTime(Generic[Row]):
    """A list sorted by a time that isn't known of every row: those without it come last, either way.

    Rows of the same time are in the order of their ``key``. An index with both columns finds each page. The row that a
    page starts after is looked for in ``among``: it may not match the list's filters anymore.
    """

    among: Select[Row]
    time: InstrumentedAttribute[datetime | None]
    key: InstrumentedAttribute[int]
    is_oldest_first: bool = False
    parts: Sequence[ColumnElement[bool]] = ()
    """Conditions of which each row meets one, if an index finds the rows of each part faster than those of all."""

    def rows(self, query: Select[Row], after: int | None, at_most: int, total: int | None = None) -> list[Row]:
        """Return up to so many rows after the one with this key, of ``total`` rows if that is known."""
        timed, untimed = query.where(self.time.is_not(None)), query.where(self.time.is_(None))
        if after is not None:
            last = self.among.with_only_columns(self.time).where(self.key == after).scalar_subquery()
            place, seen = tuple_(self.time, self.key), tuple_(last, after)
            timed = timed.where(place > seen if self.is_oldest_first else place < seen)
            beyond = self.key > after if self.is_oldest_first else self.key < after
            untimed = untimed.where(or_(last.is_not(None), beyond))
        found = self._first(timed, at_most, self.time, self.key)
        if len(found) < at_most and (after is not None or total is None or len(found) < total):
            found += self._first(untimed, at_most - len(found), self.key)
        return found

    def _first(self, query: Select[Row], at_most: int, *columns: InstrumentedAttribute[Any]) -> list[Row]:
        """Return the first rows, sorted by the columns. Of each part, no more rows are read than are returned."""
        if self.parts:
            keys = query.with_only_columns(self.key)
            each = (keys.where(part).order_by(*self._sorted(*columns)).limit(at_most) for part in self.parts)
            query = query.where(self.key.in_(union_all(*(select(part.subquery()) for part in each))))
        return list(db.session.scalars(query.order_by(*self._sorted(*columns)).limit(at_most)))

    def _sorted(self, *columns: InstrumentedAttribute[Any]) -> list[ColumnElement[Any]]:
        return [column.asc() if self.is_oldest_first else column.desc() for column in columns]


def page(query: Select[Row], key: InstrumentedAttribute[int], *, per_page: int = PER_PAGE) -> Page[Row]:
    """Return the rows of ``query`` below the key in ``?before=``, newest first. An invalid key is ignored."""
    before = _before()
    ordered = query.order_by(key.desc()).limit(per_page + 1)
    rows = db.session.scalars(ordered.where(key < before) if before else ordered).all()
    return _page(rows, key, before, per_page)


def page_by_time(query: Select[Row], order: ByTime[Row], total: int, *, per_page: int = PER_PAGE) -> Page[Row]:
    """Return the rows of ``query``, of which there are ``total``, after the one whose key is in ``?before=``.

    An invalid key is ignored.
    """
    before = _before()
    return _page(order.rows(query, before, per_page + 1, total), order.key, before, per_page)


def _before() -> int | None:
    before = request.args.get("before", 0, type=int)
    return before if 0 < before <= MAX_ID else None


def _page(rows: Sequence[Row], key: InstrumentedAttribute[int], before: int | None, per_page: int) -> Page[Row]:
    older = None
    if len(rows) > per_page:
        rows = rows[:per_page]
        older = here(before=getattr(rows[-1], key.key))
    return Page(rows, older, here(before=None) if before else None)


def here(**changes: Any) -> str:
    """Return this page's address with its filters and the given changes; None drops a filter.

    What an action did (``result``) is told once, not on each page that follows.
    """
    path = url_for(str(request.endpoint), **(request.view_args or {}))
    arguments = {**request.args.to_dict(), "result": None, **changes}
    kept = {name: value for name, value in arguments.items() if value not in {None, ""}}
    return f"{path}?{urlencode(kept)}" if kept else path


def as_csv(
    name: str, columns: Sequence[Column[Row]], query: Select[Row], key: InstrumentedAttribute[int] | ByTime[Row]
) -> Response:
    """Return the whole filtered list as a CSV download, each part read in a transaction of its own.

    Every cell is quoted. Text that a spreadsheet could run as a formula gets an apostrophe in front.
    """
    order = key if isinstance(key, ByTime) else None
    key = key.key if isinstance(key, ByTime) else key

    def parts() -> Iterator[Sequence[Row]]:
        last: int | None = None
        while True:
            if order is not None:
                rows: Sequence[Row] = order.rows(query, last, CSV_PART)
            else:
                ordered = query.order_by(key.desc()).limit(CSV_PART)
                rows = db.session.scalars(ordered.where(key < last) if last else ordered).all()
            # A slow download must not keep a transaction open.
            db.session.commit()
            yield rows
            if len(rows) < CSV_PART:
                return
            last = getattr(rows[-1], key.key)
            db.session.expunge_all()

    return csv_response(name, csv_parts(columns, parts()))


def csv_response(name: str, lines: Iterable[str]) -> Response:
    # Nor the transaction in which the reader and the merchant were looked up.
    db.session.commit()
    answer = Response(stream_with_context(iter(lines)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def csv_parts(columns: Sequence[Column[Row]], parts: Iterable[Iterable[Row]]) -> Iterator[str]:
    """Yield the column titles, then the lines of each part of the rows."""
    yield _heads(columns)
    for rows in parts:
        yield "".join(_cells(columns, row) for row in rows)


def _heads(columns: Sequence[Column[Row]]) -> str:
    return "\ufeff" + _line([title for title, _ in columns])


def _cells(columns: Sequence[Column[Row]], row: Row) -> str:
    return _line([cell(row) for _, cell in columns])


def _line(cells: Sequence[object]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([_cell(cell) for cell in cells])
    return out.getvalue()


def _cell(cell: object) -> str:
    """Return a cell that no spreadsheet runs, whichever separator it splits the file at."""
    text = "" if cell is None else str(cell)
    if not isinstance(cell, str):
        return text
    safe = _NEXT_CELL.sub(lambda found: f"{found[1]}'{found[2]}" if found[2] else found[0], text)
    return f"'{safe}" if _FORMULA.match(text) else safe


def unguarded(cell: str) -> str:
    """Return the text of a downloaded cell without the apostrophes that keep a spreadsheet from running it."""
    text = _NEXT_CELL.sub(lambda found: found[1] + (found[2] or "").removeprefix("'"), cell)
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text

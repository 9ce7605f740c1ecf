"""The catalog check as a file: its rows, and what a file that was edited and uploaded would change."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.models import Product, SkuOverride
from portal.reports.needed_options import needed
from portal.rules.sku import MARKER, option_text
from portal.rules.sku_by_hand import WHOLE, why_unusable
from portal.rules.visible_text import clean, visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.models import Store
    from portal.reports.sku_preview import Preview
    from portal.rules.product_skus import Row

SAID = 80
"""Characters of a description in the file."""
ALL_OPTIONS = "All options"


@dataclass(frozen=True, slots=True)
class Line:
    """What a SKU can be set for: a product or one of its options. ``row`` is its SKU, None for all options at once."""

    preview: Preview
    option_id: str
    row: Row | None
    own: str
    says: str

    @property
    def option(self) -> str:
        return self.row.option if self.row is not None else ALL_OPTIONS


def lines_of(preview: Preview) -> Iterator[Line]:
    """Yield the lines of one product: one if it has no options, else one for all options and one for each."""
    says = "" if preview.gone else _says(preview.description)
    has_options = any(row.option and not row.is_gone for row in preview.rows)
    if has_options:
        yield Line(preview, WHOLE, None, preview.own.get(WHOLE, ""), says)
    for row in preview.rows:
        # A product without options has one that Big Cartel doesn't show, which may have a SKU of its own all the same.
        is_single = has_options or row.is_gone or row.option_id in preview.own
        option_id = row.option_id if is_single else WHOLE
        yield Line(preview, option_id, row, preview.own.get(option_id, ""), says)


def _says(description: str) -> str:
    """Return what the description says about the SKU, or else its end, on one line."""
    _, marker, after = (text := visible_text(description)).partition(MARKER)
    said = (marker + after)[:SAID] if marker else text[-SAID:]
    return " ".join(said.split())


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of an uploaded file: the own SKU wanted, and the one when downloaded (None: the file doesn't say)."""

    number: int
    product_id: str
    option_id: str
    wanted: str
    downloaded: str | None


@dataclass(frozen=True, slots=True)
class SkuChange:
    """An own SKU that the file changes. ``before`` and ``after`` are "" for none."""

    number: int
    product_id: str
    option_id: str
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RowError:
    number: int
    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file would change, how many of its rows change nothing, and the rows that can't be used."""

    changes: Sequence[SkuChange]
    unchanged: int
    errors: Sequence[RowError]

    @property
    def by_product(self) -> dict[str, dict[str, str]]:
        """Return the new SKUs by product id and option id, as overrides.set_many takes them."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for one in self.changes:
            found[one.product_id][one.option_id] = one.after
        return dict(found)


class _RowError(Exception):
    """A row can't be used; the message says why."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What can be set for one product: its current options (names by id), others that have or need a SKU, its SKUs."""

    name: str
    is_gone: bool
    options: Mapping[str, str]
    others: Mapping[str, str]
    own: Mapping[str, str]


def check(session: Session, store: Store, entries: Sequence[Entry]) -> Plan:
    """Compare the entries with what is set now, in at most five statements, whatever their number. Writes nothing."""
    known = _known(session, store)
    uses = Counter((one.product_id, one.option_id) for one in entries)
    changes, errors, unchanged = list[SkuChange](), list[RowError](), 0
    for one in entries:
        product = known.get(one.product_id)
        name = _name(one, product)
        try:
            before = _checked(one, product, is_alone=uses[one.product_id, one.option_id] == 1)
        except _RowError as error:
            errors.append(RowError(one.number, name, str(error)))
            continue
        if before is None:
            unchanged += 1
        else:
            changes.append(SkuChange(one.number, one.product_id, one.option_id, name, before, one.wanted))
    return Plan(changes, unchanged, errors)


def _name(entry: Entry, product: _Known | None) -> str:
    if product is None:
        return f"Product {entry.product_id}" if entry.product_id else "Unknown product"
    option = {**product.others, **product.options}.get(entry.option_id, entry.option_id)
    return " / ".join(filter(None, (product.name, option)))


def _checked(entry: Entry, product: _Known | None, *, is_alone: bool) -> str | None:
    """Return the own SKU that the entry replaces, None if it changes nothing. Raises _RowError."""
    if not entry.product_id:
        raise _RowError("The product id is missing.")
    if product is None:
        raise _RowError("This store has no product with this id.")
    if not is_alone:
        raise _RowError("Another row is for the same product and option. Keep only one of them.")
    present = product.own.get(entry.option_id, "")
    if entry.wanted in {present, entry.downloaded}:
        # What a person left as it was isn't set back, even if it has changed since.
        return None
    if entry.downloaded is not None and entry.downloaded != present:
        now = f"“{present}”" if present else "none"
        raise _RowError(f"The own SKU has changed since you downloaded the file: it is {now} now. Download it again.")
    if entry.option_id and entry.option_id not in {**product.options, **product.others}:
        raise _RowError("This product has no option with this id. It may have been deleted in Big Cartel.")
    if entry.wanted and product.is_gone:
        raise _RowError("This product is no longer in Big Cartel, and no order is waiting for it.")
    names = [""] if entry.option_id else product.options.values()
    if entry.wanted and (why := why_unusable(entry.wanted, names)):
        raise _RowError(why)
    return present


def _known(session: Session, store: Store) -> dict[str, _Known]:
    """Return what can be set for each product of the store, by its id."""
    own: dict[str, dict[str, str]] = defaultdict(dict)
    for one in session.scalars(select(SkuOverride).where(SkuOverride.store_id == store.id)):
        own[one.product_id][one.option_id] = one.sku
    wanted = needed(session, [store.id], have_deleted=True)
    lost, waiting = wanted.lost.get(store.id, {}), wanted.waiting.get(store.id, {})
    query = select(Product.product_id, Product.name, Product.options, Product.gone).where(Product.store_id == store.id)
    found = {}
    for product_id, name, options, is_gone in session.execute(query):
        others = {option_id: option_id for option_id in own[product_id] if option_id} | lost.get(product_id, {})
        found[product_id] = _Known(
            name=clean(name) or f"Product {product_id}",
            is_gone=is_gone and product_id not in waiting and not own[product_id],
            options={option["id"]: option_text(option["name"]) for option in options},
            others=others,
            own=own[product_id],
        )
    return found

"""Properties of the assessment that are true for any order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.clients.bigcartel import BigCartelAddress, BigCartelOrder, LineItem, Option
from portal.rules.assessment import ProductFacts, Rules, assess
from portal.rules.packing import pack
from tests.rules.texts import any_text, descriptions

ids = st.sampled_from(["101", "102", "103", "201", "203"])


statuses = st.one_of(st.sampled_from(["completed", "unpaid", "unshipped", "partially shipped"]), any_text)


words = st.one_of(st.sampled_from(["Ana", "US", "PR", "GB", "Utah"]), any_text)


moments = st.one_of(st.none(), st.datetimes(timezones=st.one_of(st.none(), st.timezones())))


orders = st.builds(
    BigCartelOrder,
    number=words,
    payment_status=statuses,
    shipping_status=statuses,
    placed_at=moments,
    updated_at=st.none(),
    address=st.builds(BigCartelAddress, *[words] * 11),
    items=st.lists(
        st.builds(
            LineItem, any_text, st.one_of(st.none(), ids), words, st.one_of(st.none(), ids), words,
            st.one_of(st.none(), st.integers(1, 10**9)), st.one_of(st.none(), st.integers(0, 2)),
            st.one_of(st.none(), st.integers(0, 2)),
        ),
        max_size=4,
    ).map(tuple),
    labels=st.lists(any_text, max_size=2).map(tuple),
    discounts=st.lists(any_text, max_size=2).map(tuple),
    item_count=st.one_of(st.none(), st.integers(0, 4)),
    cancellations=st.lists(st.just("“refunds” is set"), max_size=1).map(tuple),
    unreadable=st.lists(st.one_of(st.sampled_from(["items", "placed_at"]), any_text), max_size=2).map(tuple),
)  # fmt: skip


facts = st.builds(
    ProductFacts,
    description=st.one_of(descriptions, st.just("SKU:A")),
    options=st.lists(st.builds(Option, ids, words), max_size=3).map(tuple),
    gone=st.booleans(),
    override=st.one_of(st.just(""), any_text),
    option_overrides=st.dictionaries(ids, any_text, max_size=2),
)


rules = st.builds(
    Rules, words, words, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans(), moments, words,
    st.booleans(),
)  # fmt: skip


@settings(max_examples=300)
@given(orders, st.dictionaries(ids, facts, max_size=3), rules)
def test_no_order_raises_and_only_complete_orders_are_sent(
    order: BigCartelOrder, products: dict[str, ProductFacts], given_rules: Rules
) -> None:
    found = assess(order, products, given_rules)
    for hold in found.holds:
        (hold.sentence + hold.remedy).encode()
        assert "\x00" not in hold.detail
    for line in found.lines:
        assert not (line.left_out and line.sku)
        (line.name + line.option + "".join(line.problems)).encode()
    request, _ = pack(order, found)
    if not found.holds:
        assert found.service
        assert request.items
        assert request.address.country
        assert all(line.left_out or line.sku or line.quantity == 0 for line in found.lines)

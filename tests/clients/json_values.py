"""Hypothesis strategies: any JSON, and Big Cartel's documents with any values in their fields."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TEXT = st.text(max_size=12)
ANY: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
ODD_TIMES = st.sampled_from(["2026-11-23T19:00:00.000Z", "0001-01-01T00:00:00+14:00", "yesterday", "", "99999"])
IDS = st.sampled_from(["1", "2", 3, "LMFN-543196", "", None, True, 10**30])
KINDS = st.sampled_from(
    ["order_line_items", "order_line_item", "order_adjustments/base", "product_options", "countries", "x", 7]
)


def sometimes(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return strategy | ANY


REFERENCES = sometimes(st.fixed_dictionaries({}, optional={"id": sometimes(IDS), "type": sometimes(KINDS)}))
RELATIONSHIPS = sometimes(
    st.fixed_dictionaries(
        {},
        optional={
            name: sometimes(st.fixed_dictionaries({"data": sometimes(st.lists(REFERENCES, max_size=3)) | REFERENCES}))
            for name in ("items", "adjustments", "shipping_country", "product", "product_option", "options")
        },
    )
)
ATTRIBUTES = sometimes(
    st.fixed_dictionaries(
        {},
        optional={
            name: sometimes(TEXT | ODD_TIMES)
            for name in (
                "payment_status",
                "shipping_country_id",
                "completed_at",
                "created_at",
                "quantity",
                "quantity_shipped",
                "product_id",
                "label",
                "name",
                "description",
            )
        },
    )
)
OBJECTS = sometimes(
    st.fixed_dictionaries(
        {},
        optional={
            "id": sometimes(IDS),
            "type": sometimes(KINDS),
            "attributes": ATTRIBUTES,
            "relationships": RELATIONSHIPS,
        },
    )
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "data": sometimes(OBJECTS | st.lists(OBJECTS, max_size=3)),
        "included": sometimes(st.lists(OBJECTS, max_size=4)),
        "links": sometimes(st.fixed_dictionaries({}, optional={"next": sometimes(TEXT)})),
        "meta": sometimes(st.fixed_dictionaries({}, optional={"count": sometimes(st.text("0123456789", max_size=3))})),
    },
)

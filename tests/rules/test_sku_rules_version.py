"""A change of the SKU rules raises their version, so that stored verdicts are derived again."""

from __future__ import annotations

import hashlib
from itertools import product

from portal.clients.bigcartel import Option
from portal.rules.assessment import ProductFacts
from portal.rules.sku_findings import RULES, verdict_of

DESCRIPTIONS = (
    "", "nothing", "SKU:A", "SKU: A", "sku: a", "SKU:", "SKU:A-", "SKU:A B", "SKU:A SKU:B", "<p>SKU:A<br>more</p>",
    "SKU:" + "x" * 80, "SKU:\u0410BC", "SKU:A\u200b", "S.K.U. 5", "SKU:caf\u00e9", "SKU:\uff21", "Item# 7",
    "SKU:A\ufffd", "<p>SKU</p>:A", "SKU&#58;A", "<!-- SKU:A -->", "SKU:A/",
)  # fmt: skip
OPTIONS = ((), ("Default",), ("Small", "Large"), ("", "Small"), ("\u200b",))
OVERRIDES = ("", "HAND-", "a b", "\u0410")
EXPECTED = (1, "b522912a819250bc")


def test_changed_rules_have_a_new_version() -> None:
    """If this fails, raise RULES and put the new version and digest here."""
    digest = hashlib.sha256()
    for description, options, override, gone in product(DESCRIPTIONS, OPTIONS, OVERRIDES, (False, True)):
        given = tuple(Option(str(number), name) for number, name in enumerate(options))
        found = verdict_of(ProductFacts(description, given, gone=gone, override=override))
        rows = [(row.option, row.sku, [one.code.value for one in row.problems]) for row in found.rows]
        levels = int(found.level), int(found.level_if_left_out), found.is_without_sku, found.is_forgettable
        digest.update(repr((rows, levels)).encode())
    assert (RULES, digest.hexdigest()[:16]) == EXPECTED

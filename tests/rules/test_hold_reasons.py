"""The table of hold reasons: every reason has a sentence, a remedy and a page to fix it on."""

from __future__ import annotations

import pytest

from portal.rules.hold_reasons import FixPage, HeldBy, Hold, HoldReason


@pytest.mark.parametrize("reason", HoldReason)
def test_every_reason_has_a_sentence_and_a_remedy(reason: HoldReason) -> None:
    for text in (Hold(reason).sentence, reason.row.remedy):
        assert text == text.strip()
        assert text.endswith(".")
    assert HoldReason(reason.value) is reason
    assert Hold(reason).sentence == f"{reason.row.label}."
    assert reason.row.label[0].isupper()


@pytest.mark.parametrize("reason", [reason for reason in HoldReason if reason.row.held_by is HeldBy.CHOICE])
def test_holds_by_choice_are_changed_in_the_portal(reason: HoldReason) -> None:
    assert reason.row.fixed_on in {FixPage.SETTINGS, FixPage.GO_LIVE, FixPage.RATES, FixPage.ORDER}


def test_only_these_reasons_can_be_released_by_a_person() -> None:
    assert {reason for reason in HoldReason if reason.row.releasable} == {
        HoldReason.ADDRESS_DOUBTFUL,
        HoldReason.CANCELED_OR_REFUNDED,
        HoldReason.CARRIER_CANNOT_DELIVER,
        HoldReason.LOCAL_PICKUP,
        HoldReason.NOT_LISTED,
    }


def test_only_these_reasons_do_not_block_a_dry_run() -> None:
    assert {reason for reason in HoldReason if not reason.row.blocks_dry_run} == {
        HoldReason.HELD_BY_HAND,
        HoldReason.PAUSED,
        HoldReason.TEST_MODE,
    }


def test_detail_completes_the_sentence() -> None:
    assert Hold(HoldReason.PAYMENT_NOT_COMPLETED, "Big Cartel shows “pending”").sentence == (
        "Payment not completed: Big Cartel shows “pending”."
    )
    no_sku = Hold(HoldReason.NO_SKU, "Poster.\nIt has none.")
    assert no_sku.headline == "Missing or invalid SKU: Poster."
    assert no_sku.explanation == "It has none."
    assert no_sku.sentence == "Missing or invalid SKU: Poster. It has none."

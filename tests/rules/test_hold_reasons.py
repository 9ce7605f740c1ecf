"""The table of hold reasons: complete, and worded so that a person can act."""

from __future__ import annotations

import pytest

from portal.rules.hold_reasons import FixPage, HeldBy, Hold, HoldReason


@pytest.mark.parametrize("reason", HoldReason)
def test_every_reason_says_what_it_means_and_what_to_do(reason: HoldReason) -> None:
    for text in (reason.row.sentence, reason.row.remedy):
        assert text == text.strip()
        assert text.endswith(".")
    assert HoldReason(reason.value) is reason
    assert Hold(reason).sentence == reason.row.sentence


@pytest.mark.parametrize("reason", [reason for reason in HoldReason if reason.row.held_by is HeldBy.CHOICE])
def test_what_a_merchant_chose_is_changed_in_the_portal(reason: HoldReason) -> None:
    assert reason.row.fixed_on in {FixPage.SETTINGS, FixPage.GO_LIVE}


def test_only_a_guess_may_be_released_by_a_person() -> None:
    assert {reason for reason in HoldReason if reason.row.releasable} == {HoldReason.LOCAL_PICKUP}


def test_the_merchant_s_own_switches_do_not_block_a_dry_run() -> None:
    assert {reason for reason in HoldReason if not reason.row.blocks_dry_run} == {
        HoldReason.PAUSED,
        HoldReason.TEST_MODE,
    }


def test_a_detail_completes_the_sentence() -> None:
    assert Hold(HoldReason.PAYMENT_NOT_COMPLETED, "it is pending").sentence == (
        "The payment is not completed: it is pending."
    )
    assert Hold(HoldReason.NO_SKU, "Poster.\nIt has none.").sentence.endswith(": Poster. It has none.")

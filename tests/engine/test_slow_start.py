"""Slow start: one call at a time until the service answers clearly, and when a run gives up."""

from __future__ import annotations

from portal.engine.fan_out import MAX_UNCLEAR, SlowStart


def test_width_is_one_until_a_clear_answer_and_again_after_an_unclear_one() -> None:
    pace = SlowStart(full=8)
    assert pace.width() == 1
    pace.clear()
    assert pace.width() == 8
    pace.unclear()
    assert pace.width() == 1


def test_run_gives_up_after_consecutive_unclear_answers_and_a_clear_one_resets_the_count() -> None:
    pace = SlowStart(full=8)
    assert [pace.unclear() for _ in range(MAX_UNCLEAR - 1)] == [False] * (MAX_UNCLEAR - 1)
    pace.clear()
    assert [pace.unclear() for _ in range(MAX_UNCLEAR)] == [False] * (MAX_UNCLEAR - 1) + [True]

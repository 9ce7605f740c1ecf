"""One call until a service answers clearly, then all; and when a run gives up."""

from __future__ import annotations

from portal.engine.fan_out import MAX_UNCLEAR, SlowStart


def test_one_call_at_a_time_until_a_clear_answer_and_again_after_an_unclear_one() -> None:
    pace = SlowStart(full=8)
    assert pace.width() == 1
    pace.clear()
    assert pace.width() == 8
    pace.unclear()
    assert pace.width() == 1


def test_unclear_answers_in_a_row_end_a_run_and_a_clear_one_starts_the_count_again() -> None:
    pace = SlowStart(full=8)
    assert [pace.unclear() for _ in range(MAX_UNCLEAR - 1)] == [False] * (MAX_UNCLEAR - 1)
    pace.clear()
    assert [pace.unclear() for _ in range(MAX_UNCLEAR)] == [False] * (MAX_UNCLEAR - 1) + [True]

"""Slow start: one call at a time until the service answers clearly, when a run gives up, and how groups grow."""

from __future__ import annotations

from portal.engine.fan_out import MAX_UNCLEAR, Groups, SlowStart


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


def test_more_answers_are_recorded_together_while_whole_groups_come_and_fewer_when_they_don_t() -> None:
    groups = Groups(least=8, most=20)
    sizes = []
    for answers in (3, 8, 16, 25, 11, 10, 9, 4, 3, 1):
        groups.arrived(answers)
        sizes.append(groups.size)
    assert sizes == [8, 16, 20, 20, 20, 20, 10, 8, 8, 8]


def test_groups_start_over_and_never_fall_below_the_least() -> None:
    groups = Groups(least=64, most=20)
    groups.arrived(64)
    assert groups.size == 64
    groups = Groups(least=1, most=20)
    for size in (1, 2, 4):
        groups.arrived(size)
    assert groups.size == 8
    groups.start_over()
    assert groups.size == 1

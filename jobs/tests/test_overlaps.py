"""What becomes of a slot while earlier ones are unfinished: the rule as a table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.overlaps import Ruling, Slot, rule
from jobs.policies import GRACE, Overlap
from tests.factories import NOON

MINUTE = timedelta(minutes=1)


def slot(minute: int, *, late: timedelta = timedelta(0)) -> Slot:
    at = NOON + minute * MINUTE
    return Slot(at, at + late)


LATE = GRACE + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("overlap", "one_ahead", "more_ahead"),
    [
        (Overlap.SKIP, Ruling.SKIP, Ruling.SKIP),
        (Overlap.QUEUE, Ruling.WAIT, Ruling.SKIP),
        (Overlap.QUEUE_ALL, Ruling.WAIT, Ruling.WAIT),
        (Overlap.CANCEL_PREVIOUS, Ruling.REPLACE, Ruling.REPLACE),
        (Overlap.ALLOW, Ruling.RUN, Ruling.RUN),
    ],
)
def test_the_rule(overlap: Overlap, one_ahead: Ruling, more_ahead: Ruling) -> None:
    unfinished = [slot(0), slot(1)]

    rulings = [rule(overlap, slot(minute), unfinished=unfinished) for minute in range(3)]

    assert rulings == [Ruling.RUN, one_ahead, more_ahead]


@pytest.mark.parametrize("overlap", list(Overlap))
def test_a_slot_that_is_made_up_for_waits_its_turn_unless_all_may_run(overlap: Overlap) -> None:
    made_up = rule(overlap, slot(1, late=LATE), unfinished=[slot(0, late=LATE)])

    assert made_up is (Ruling.RUN if overlap is Overlap.ALLOW else Ruling.WAIT)


@pytest.mark.parametrize("overlap", list(Overlap))
def test_a_punctual_slot_waits_for_a_backlog_that_is_made_up_for(overlap: Overlap) -> None:
    punctual = rule(overlap, slot(1), unfinished=[slot(0, late=LATE)])

    assert punctual is (Ruling.RUN if overlap is Overlap.ALLOW else Ruling.WAIT)


def test_a_slot_noticed_within_the_grace_is_punctual() -> None:
    assert not slot(0, late=GRACE).made_up
    assert slot(0, late=LATE).made_up

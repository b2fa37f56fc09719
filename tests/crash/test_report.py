"""The table says what the verdicts say."""

from __future__ import annotations

from datetime import date

from tests.crash.report import Row, page
from tests.crash.verdict import Verdict

TODAY = date(2027, 6, 15)
SOUND = Row("beat killed", "3 slots after it", Verdict(n=12, recovery_p99=4.25))
BROKEN = Row("worker killed", "1 lost", Verdict(n=8, lost=("a", "b"), stuck=("b",)))


def test_a_row_counts_each_kind_of_violation() -> None:
    assert str(SOUND) == "| beat killed | 12 | 3 slots after it | 0 | 0 | 0 | 0 | 0 | 4.2 | - |"
    assert str(BROKEN) == "| worker killed | 8 | 1 lost | 2 | 0 | 0 | 0 | 1 | - | - |"


def test_the_page_sums_up_and_says_what_broke() -> None:
    text = page([BROKEN, SOUND], today=TODAY, lease=3)

    assert "2027-06-15: 20 executions under 2 faults, 1 of them broke a promise." in text
    assert text.index(str(SOUND)) < text.index(str(BROKEN))
    assert "none broke a promise" in page([SOUND], today=TODAY, lease=3)

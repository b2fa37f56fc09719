"""Bytes in the broker that are no messages stop no worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from executions import bell
from tests.crash.test_messages import QUEUE, all_consumed, key_prefix

if TYPE_CHECKING:
    from tests.crash.ground import Ground

pytestmark = pytest.mark.crash

GARBAGE = [b"", b"{}", b"not json", b"[1, 2", b'{"body": 1}', b"\xff\xfe\x00", b"null", b"[]"]


def test_bytes_that_are_no_messages(ground: Ground) -> None:
    ground.staff(beats=1, io=1)
    key = f"{key_prefix()}{QUEUE}"
    with ground.trial("bytes in the broker that are no messages") as trial:
        with trial.fault():
            for garbage in GARBAGE:
                bell.client().lpush(key, garbage)
        try:
            trial.bites("garbage consumed", all_consumed, within=10)
        finally:
            bell.client().delete(key)  # not for the workers of the tests that follow
        trial.http(trial.size)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert ground.io[0].alive

"""PostgreSQL is away before a claim: its worker waits, and claims within seconds of its return."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from executions import clock, scheduler
from executions.models import Execution, Status
from tests.crash import work
from tests.crash.ground import Ground
from tests.crash.infrastructure.proxy import Mood, Proxy
from tests.factories import JobFactory
from tests.stack import database_url
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.crash

AWAY_SECONDS = 6
CLAIMED_WITHIN = 5


@pytest.fixture(scope="module")
def ground(transactional_db: None) -> Iterator[Ground]:
    with Ground(work.APPS) as ground:
        ground.staff(beats=1, io=0)
        yield ground


def test_messages_that_find_no_database_are_not_lost(ground: Ground) -> None:
    at = urlsplit(database_url())
    account = at.netloc.rpartition("@")[0]
    with Proxy((at.hostname or "", at.port or 0)) as proxy:
        through = at._replace(netloc=f"{account}@127.0.0.1:{proxy.port}").geturl()
        ground.stack.worker("io", slots=4, env={"DATABASE_URL": through})
        job = JobFactory.create(team=ground.team)

        proxy.become(Mood.REFUSE)
        for _ in range(8):
            scheduler.run_now(job, now=clock.read(), actor="test")
        time.sleep(AWAY_SECONDS)
        assert not Execution.objects.exclude(status=Status.QUEUED).exists()
        proxy.become(Mood.PASS)

        done = Execution.objects.filter(job=job, status=Status.SUCCEEDED, attempt=1)
        eventually(done.exists, within=CLAIMED_WITHIN)
        eventually(lambda: done.count() == 8, within=CLAIMED_WITHIN)

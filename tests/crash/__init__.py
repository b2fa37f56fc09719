"""Faults on real processes, and the proof that every promise holds under them.

A test of this package puts a load on a running platform, injects one fault, proves that the fault
bit, waits until everything has settled, and lets ``verdict.judge`` compare three records: what was
promised, what the database says, and what the target (an HTTP server and a file, both the test's
own) saw start. In full::

    pytestmark = pytest.mark.crash            # no django_db: the stack outlives the test

    def test_killed_worker(ground: Ground) -> None:
        ground.staff(beats=1, io=2)                        # start what is missing, wait for it
        with ground.trial("worker killed") as trial:       # a name: the row in the report
            trial.http(trial.size, path="/gated")          # a load; adds to trial.plan
            trial.compute(trial.size // 2)
            trial.slots(every=1, number=10)
            trial.await_starts(5)                          # the fault must find work to hit
            with trial.fault():                            # its begin and its end are timed
                ground.io[0].kill()
            trial.bites("an attempt was lost", trial.attempts.filter(outcome="lost").exists)
            verdict = trial.verdict(within=60)             # settle, judge, write the row
        assert verdict.holds, verdict.violations

``trial.verdict`` fails when nothing was proved to bite. Everything that is not finished ``within``
seconds is *stuck* and *lost* in the verdict. What a test breaks it mends: ``ground.staff`` starts
new parts for those that died; whatever else it changed (a proxy, a server) it puts back itself.

``ground`` is one ``Ground`` for all tests of a module: a stack, a target, a team. A module that
needs other servers makes its own in a module-scoped fixture that asks for ``transactional_db``::

    @pytest.fixture(scope="module")
    def ground(transactional_db: None) -> Iterator[Ground]:
        with Proxy(...) as proxy, Ground({"REDIS_URL": proxy.url}) as ground:
            yield ground

The variables of the environment, which ``make test-crash N=… SEED=…`` sets:

``CHRONOS_CRASH_N``       executions per trial, ``trial.size`` (20 unless told)
``CHRONOS_CRASH_SEED``    seeds ``trial.random`` together with the trial's name
``CHRONOS_CRASH_REPORT``  where the table of all trials is written when the run ends

``app/`` is a Django app of job functions for compute workers; ``soak.py`` runs random faults for
an hour (``make soak``).
"""

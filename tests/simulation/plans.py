"""Histories as data: the jobs, the steps that processes take, and the faults that strike them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from executions import maintenance
from tests.simulation.faults import Fault, Mishap


@dataclass(frozen=True, slots=True)
class Step:
    """A step of some process. ``pick`` chooses among what is there, ``amount`` is in seconds."""

    verb: str
    pick: int = 0
    amount: float = 0
    word: str = ""
    fault: Fault | None = None
    meanwhile: Step | None = None

    def __repr__(self) -> str:
        """As it is written in a test, without what is left out there."""
        default = {"pick": 0, "amount": 0, "word": "", "fault": None, "meanwhile": None}
        parts = [repr(self.verb)]
        for name, unset in default.items():
            value = getattr(self, name)
            if value != unset:
                parts.append(f"{name}={_spelt(value)}")
        return f"Step({', '.join(parts)})"


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole of a history: it can be run again and gives the same.

    ``limit`` are the fields of the limit that jobs may share; ``one_at_a_time`` names a queue.
    """

    seed: int
    jobs: tuple[dict[str, Any], ...]
    steps: tuple[Step, ...] = ()
    limit: dict[str, Any] = field(default_factory=dict)
    one_at_a_time: str = ""

    def __str__(self) -> str:
        jobs = "\n".join(f"        {job!r}," for job in self.jobs)
        steps = "\n".join(f"        {step!r}," for step in self.steps)
        rest = f"    {self.limit!r},\n    {self.one_at_a_time!r},\n"
        return f"Plan(\n    {self.seed},\n    (\n{jobs}\n    ),\n    (\n{steps}\n    ),\n{rest})"


PASSES = tuple(one.__name__ for one in maintenance.PASSES)
WORDS: dict[str, tuple[str, ...]] = {
    "sweep": PASSES,
    "finish": ("succeed", "succeed", "fail", "give_up", "wait"),
    "resume": ("skip", "latest", "all"),
    "change": ("schedule", "payload", "policy"),
    "pause": ("", "for a while"),
    "pause_queue": ("", "for a while"),
    "redrive_group": ("all", "canary"),
}
# What usually follows what: single steps at random would seldom get far. ``a|b`` is one of both.
PHRASES = {
    "tick fire queue deliver finish": 8,
    "run_now deliver finish": 4,
    "tick fire queue deliver kill tick=31 sweep=rescue queue deliver": 3,
    "run_now deliver freeze tick=31 sweep=rescue queue deliver thaw finish=succeed": 4,
    "run_now deliver kill tick=31 sweep=rescue queue deliver kill tick=31 sweep=rescue queue "
    "deliver kill|crash|finish tick=31 sweep=rescue queue deliver": 2,
    "run_now queue lose|flush|delay tick=21 sweep=redispatch double deliver deliver finish": 3,
    "tick fire pause|archive tick resume|restore fire queue": 3,
    "tick fire audit change tick fire audit queue": 2,
    "tick fire audit pause|archive tick audit resume|restore audit fire audit": 1,
    "pause_queue tick fire queue resume_queue queue": 1,
    "run_now queue pause_queue deliver resume_queue queue deliver": 1,
    "run_now run_now run_now queue deliver deliver tick queue deliver finish queue deliver": 3,
    "run_now deliver cancel finish": 2,
    "run_now deliver finish=give_up redrive deliver": 2,
    "run_now run_now deliver deliver finish=give_up finish=give_up redrive_group advance queue "
    "deliver finish advance": 2,
    "tick fire pause tick sweep=wake_paused fire queue": 1,
    "run_now tick sweep=expire deliver": 1,
    "run_now deliver tick give_back|crash queue deliver": 2,
    "tick fire tick fire queue deliver tick fire queue": 2,
    "run_now deliver finish=fail tick queue deliver finish=fail tick queue deliver finish": 2,
    "run_now deliver cut tick=21 tick=21 sweep=rescue queue deliver mend finish": 2,
    "run_now deliver finish=wait tick sweep=expire": 1,
    "tick": 1,
    "sweep forge": 1,
}
LIMITS: tuple[dict[str, Any], ...] = (
    {"concurrency": 1},
    {"concurrency": 2, "by": "customer"},
    {"rate": 1, "per_seconds": 5},
    {"rate": 3, "per_seconds": 20, "concurrency": 1},
)
TICKS = (0.5, 2, 5, 11, 21, 31, 61, 130)
NEVER_FAULTY = "tick lose delay double flush kill freeze thaw cut mend"
OVERTAKING = (
    "fire queue deliver finish sweep cancel run_now redrive advance pause resume change archive "
    "restore"
)
STALE = (0, 0, 0, 0, 0, 1, 40)  # seconds that a process slept after it had looked at the clock
AT = (1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 10, 12)  # which statement of a step a fault strikes


def draw(seed: int) -> Plan:
    """Return the history of ``seed``."""
    dice = random.Random(seed)
    jobs = tuple(_job(dice, number) for number in range(dice.choice((1, 1, 2))))
    phrases = dice.choices(list(PHRASES), list(PHRASES.values()), k=dice.randint(1, 3))
    clumsy = dice.choice((0, 0.1, 0.3))
    words = " ".join(phrases).split()
    steps = tuple(_step(dice, word, clumsy) for word in words)
    return Plan(seed, jobs, steps, dice.choice(LIMITS), dice.choice(("", "", "mail")))


def _job(dice: random.Random, number: int) -> dict[str, Any]:
    every = dice.choice((20, 20, 30, 60))
    return {
        "name": f"Job {number}",
        "slug": f"job-{number}",
        "schedule": {
            "type": "interval",
            "every_seconds": every,
            "jitter_seconds": dice.choice((0, 0, 5)),
        },
        "retry": {
            "max_attempts": dice.choice((1, 2, 3)),
            "strategy": "fixed",
            "base_seconds": dice.choice((0, 7)),
            "max_seconds": 7,
        },
        "policy": {
            "timeout_seconds": 300,
            "overlap": dice.choice(("skip", "allow", "queue", "queue_all", "cancel_previous")),
            "misfire": dice.choice(("skip", "latest", "all")),
            "priority": dice.choice(("high", "normal", "bulk")),
            "queue": dice.choice(("default", "mail")),
            "on_lost": dice.choice(("retry", "retry", "fail")),
            "concurrency": dice.choice((None, None, 1, 2)),
            "limit": dice.choice((None, None, "shared")),
            "start_deadline_seconds": dice.choice((None, None, 30)),
            "catch_up_max": dice.choice((10_000, 2)),
            "catch_up_pace_seconds": dice.choice((0, 0, 7)),
        },
    }


def _step(dice: random.Random, spelt: str, clumsy: float) -> Step:
    """Return the step that ``spelt`` asks for; what it leaves open is drawn."""
    verb, _, wanted = dice.choice(spelt.split("|")).partition("=")
    if verb == "tick":
        return Step(verb, amount=float(wanted) if wanted else dice.choice(TICKS))
    pick = dice.choice((0, 0, dice.randrange(100)))
    if verb in NEVER_FAULTY.split():
        return Step(verb, pick)
    word = wanted or dice.choice(WORDS.get(verb, ("",)))
    mishaps = (*Mishap, Mishap.OVERTAKEN, Mishap.OVERTAKEN)
    fault = Fault(dice.choice(mishaps), dice.choice(AT)) if dice.random() < clumsy else None
    meanwhile = None
    if fault and fault.mishap is Mishap.OVERTAKEN:
        meanwhile = _step(dice, dice.choice(OVERTAKING.split()), 0)
    return Step(verb, pick, dice.choice(STALE), word, fault, meanwhile)


def _spelt(value: Any) -> str:
    if isinstance(value, Fault):
        return f"Fault(Mishap.{value.mishap.name}, {value.at})"
    return repr(value)

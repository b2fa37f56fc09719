"""Histories as data: the jobs, the steps that processes take, and the faults that strike them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

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
    """The whole of a history: it can be run again and gives the same."""

    seed: int
    jobs: tuple[dict[str, Any], ...]
    steps: tuple[Step, ...] = field(default=())

    def __str__(self) -> str:
        jobs = "\n".join(f"        {job!r}," for job in self.jobs)
        steps = "\n".join(f"        {step!r}," for step in self.steps)
        return f"Plan(\n    {self.seed},\n    (\n{jobs}\n    ),\n    (\n{steps}\n    ),\n)"


WEIGHTS = {
    "tick": 16,
    "fire": 10,
    "queue": 10,
    "deliver": 16,
    "finish": 12,
    "sweep": 8,
    "kill": 4,
    "freeze": 3,
    "thaw": 2,
    "give_back": 1,
    "cancel": 3,
    "run_now": 4,
    "redrive": 3,
    "lose": 3,
    "double": 3,
    "flush": 1,
    "pause": 2,
    "resume": 3,
    "change": 2,
    "archive": 1,
    "restore": 1,
    "pause_queue": 1,
    "resume_queue": 2,
}
TICKS = (0.5, 2, 5, 11, 21, 31, 61, 130)
OF_PROCESSES = frozenset(WEIGHTS) - {"tick", "lose", "double", "flush", "kill", "freeze", "thaw"}
STALE = (0, 0, 0, 0, 1, 40)  # seconds that a process slept after it had looked at the clock


def draw(seed: int, *, steps: int = 14) -> Plan:
    """Return the history of ``seed``."""
    dice = random.Random(seed)
    jobs = tuple(_job(dice, number) for number in range(dice.choice((1, 1, 2))))
    return Plan(seed, jobs, tuple(_step(dice) for _ in range(dice.randint(steps // 2, steps))))


def _job(dice: random.Random, number: int) -> dict[str, Any]:
    every = dice.choice((10, 20, 20, 60))
    return {
        "name": f"Job {number}",
        "slug": f"job-{number}",
        "schedule": {"type": "interval", "every_seconds": every},
        "retry": {
            "max_attempts": dice.choice((1, 2, 3)),
            "strategy": "fixed",
            "base_seconds": dice.choice((0, 7)),
            "max_seconds": 7,
        },
        "policy": {
            "timeout_seconds": 300,
            "overlap": dice.choice(("skip", "allow")),
            "misfire": dice.choice(("skip", "latest", "all")),
            "priority": dice.choice(("high", "normal", "bulk")),
            "queue": dice.choice(("default", "mail")),
            "on_lost": dice.choice(("retry", "retry", "fail")),
        },
    }


def _step(dice: random.Random) -> Step:
    verb = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    if verb == "tick":
        return Step(verb, amount=dice.choice(TICKS))
    if verb not in OF_PROCESSES:
        return Step(verb, dice.randrange(100))
    fault, meanwhile = _fault(dice)
    return Step(
        verb,
        dice.randrange(100),
        dice.choice(STALE),
        dice.choice(WORDS.get(verb, ("",))),
        fault,
        meanwhile,
    )


WORDS = {
    "finish": ("succeed", "succeed", "fail", "give up"),
    "resume": ("skip", "latest", "all"),
    "change": ("schedule", "payload", "policy"),
}
AT = (1, 1, 2, 2, 3, 4, 5, 6)


def _fault(dice: random.Random) -> tuple[Fault | None, Step | None]:
    if dice.random() < 0.6:
        return None, None
    fault = Fault(dice.choice(list(Mishap)), dice.choice(AT))
    if fault.mishap is not Mishap.OVERTAKEN:
        return fault, None
    verb = dice.choice(sorted(OF_PROCESSES))
    words = WORDS.get(verb, ("",))
    return fault, Step(verb, dice.randrange(100), word=dice.choice(words))


def _spelt(value: Any) -> str:
    if isinstance(value, Fault):
        return f"Fault(Mishap.{value.mishap.name}, {value.at})"
    return repr(value)

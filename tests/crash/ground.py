"""Where trials take place: a stack of real processes, a target that sees what they do."""

from __future__ import annotations

import signal
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.crash.app import record
from tests.crash.trial import Trial
from tests.factories import UserFactory
from tests.stack import Part, Stack
from tests.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

LEASE_SECONDS = 3

ENV = {
    "CHRONOS_LEASE_SECONDS": str(LEASE_SECONDS),
    "CHRONOS_SWEEP_SECONDS": "1",
    "CHRONOS_HTTP_ALLOW_PRIVATE": "127.0.0.0/8",
    "CHRONOS_APPS": "examples.newsletter,tests.crash.app",
}


class Ground:
    """``beats``, ``io`` and ``compute`` are the parts that ran when they were last looked at.

    All jobs belong to ``team``, where ``owner`` may do everything through the API. ``env`` is
    added to the environment of every part.
    """

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self.beats: list[Part] = []
        self.io: list[Part] = []
        self.compute: list[Part] = []
        self._env = ENV | dict(env or {})
        self._resources = ExitStack()

    def __enter__(self) -> Ground:
        directory = self._resources.enter_context(tempfile.TemporaryDirectory())
        self.record = Path(directory) / "starts.jsonl"
        self._env[record.VARIABLE] = str(self.record)
        self.target = self._resources.enter_context(Target())
        self.stack = self._resources.enter_context(Stack(self._env))
        self.owner = UserFactory.create()
        self.team = self.owner.personal_team
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._resources.__exit__(kind, error, trace)

    def staff(self, *, beats: int = 1, io: int = 1, compute: int = 0, slots: int = 4) -> None:
        """See to it that at least so many parts run: start the missing ones side by side.

        ``slots`` is what each new worker can run at once.
        """
        self.beats, self.io, self.compute = map(_alive, (self.beats, self.io, self.compute))
        new_beats = [self.stack.start_beat() for _ in range(beats - len(self.beats))]
        new_io = [self.stack.start_worker("io", slots=slots) for _ in range(io - len(self.io))]
        new_compute = [
            self.stack.start_worker("compute", slots=slots)
            for _ in range(compute - len(self.compute))
        ]
        self.stack.wait([*new_beats, *new_io, *new_compute])
        self.beats += new_beats
        self.io += new_io
        self.compute += new_compute

    def holder(self, worker: str) -> Part:
        """The part that is called ``worker``, as ``Execution.worker`` says it."""
        return next(part for part in self.stack.parts if part.name == worker)

    @contextmanager
    def trial(self, name: str) -> Iterator[Trial]:
        """A trial of the fault ``name``; when it ends every gate is open again."""
        trial = Trial(self, name)
        self.target.gate.set()
        try:
            yield trial
        except BaseException:
            for part in self.stack.parts:
                if part.process.poll() != -signal.SIGKILL:
                    print(f"--- {part.name}\n{part.output[-3000:]}")  # noqa: T201  with the failure
            raise
        finally:
            self.target.gate.set()


def _alive(parts: list[Part]) -> list[Part]:
    return [part for part in parts if part.alive]

"""The harness's end of the process that submits jobs: lines of JSON there and back."""

from __future__ import annotations

import json
import select
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

START_SECONDS = 60.0
ANSWER_SECONDS = 600.0


class Answer(NamedTuple):
    """When the command began and ended, as Unix times in seconds, and what it returned."""

    began: float
    ended: float
    result: Any

    @property
    def seconds(self) -> float:
        return self.ended - self.began


class ClientError(Exception):
    """The client refused a command, or gave no answer."""


class Client:
    """Started when made. It ends by itself when this process does: its input ends then."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], *, directory: Path, log: Path
    ) -> None:
        with log.open("ab") as lines:
            self._process = subprocess.Popen(  # noqa: S603  our own command
                argv,
                cwd=directory,
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=lines,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._answer(START_SECONDS)

    def call(self, verb: str, *args: Any, seconds: float = ANSWER_SECONDS) -> Answer:
        """Have ``verb(*args)`` done and wait for it. Raises ``ClientError``."""
        assert self._process.stdin is not None  # noqa: S101  it is a pipe
        self._process.stdin.write(json.dumps({"verb": verb, "args": args}).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer(seconds)

    def stop(self) -> None:
        assert self._process.stdin is not None  # noqa: S101  it is a pipe
        self._process.stdin.close()
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self, seconds: float) -> Answer:
        answers = self._process.stdout
        assert answers is not None  # noqa: S101  it is a pipe
        ready, _, _ = select.select([answers], [], [], seconds)
        line = answers.readline() if ready else b""
        if not line:
            raise ClientError("the client gave no answer")
        told = json.loads(line)
        if told["error"]:
            raise ClientError(told["error"])
        return Answer(told["began"], told["ended"], told["result"])

"""A supervisor of small parts in a process of its own, so that tests can signal and kill it.

``python -m embedded.tests.stage DIRECTORY`` starts the parts that ``DIRECTORY/parts.json`` lists.
"""

from __future__ import annotations

import json
import os
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

from embedded.errors import one_sentence
from embedded.lock import Lock
from embedded.output import Output
from embedded.part import Part, Tier
from embedded.running import Register, stop_in_order
from embedded.supervisor import StopAskedError, Supervisor
from embedded.watchdog import Watchdog


def program(body: str) -> tuple[str, ...]:
    """A command line that runs ``body``, with ``note(text)`` to append a line to ``notes``."""
    prelude = """
        import os, signal, subprocess, sys, time
        from pathlib import Path

        def note(text):
            with Path("notes").open("a") as file:
                file.write(f"{text}\\n")
    """
    return (sys.executable, "-c", textwrap.dedent(prelude) + textwrap.dedent(body))


def main(directory: Path) -> None:
    output = Output()
    lock = Lock(directory)
    lock.take(output.say)
    register = Register(directory / "running.json")
    stop_in_order(register.read(), say=output.ended)
    watchdog = Watchdog(register.path, keep_open=(lock.fd,))
    with Supervisor(
        output, register=register, watchdog=watchdog, environment=os.environ
    ) as supervisor:
        with suppress(StopAskedError):
            for entry in json.loads((directory / "parts.json").read_text()):
                supervisor.start(_part(entry, directory))
            output.say("up")
            supervisor.serve()
        lock.ending()
    output.say("down")


def _part(entry: dict[str, str], directory: Path) -> Part:
    return Part(
        name=entry["name"],
        argv=program(entry["body"]),
        tier=Tier[entry["tier"]],
        grace=float(entry["grace"]),
        cwd=str(directory),
    )


if __name__ == "__main__":
    with one_sentence():
        main(Path(sys.argv[1]))

"""Starts parts, restarts those that die, and stops all of them in order, however it ends."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import time
from typing import TYPE_CHECKING, Self

from embedded.child import Child
from embedded.errors import StartError
from embedded.running import Register, stop_in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType, TracebackType

    from embedded.output import Output
    from embedded.part import Part
    from embedded.watchdog import Watchdog

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FIRST_PAUSE = 1.0  # seconds before a part that died starts again; doubles with each quick death
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0  # a part that lived this long starts afresh with the first pause
POLL_SECONDS = 0.1


class StopAskedError(Exception):
    """A signal asks to stop everything."""


class Supervisor:
    """Use it as a context manager: whatever ends the block, everything is stopped in order.

    A first signal raises ``StopAskedError`` out of whichever method waits; a second one, while
    stopping, takes away the time that the parts were given.
    """

    def __init__(
        self,
        output: Output,
        *,
        register: Register,
        watchdog: Watchdog,
        environment: Mapping[str, str],
    ) -> None:
        self.environment = dict(environment)
        self._output = output
        self._register = register
        self._watchdog = watchdog
        self._events: queue.SimpleQueue[Child | signal.Signals] = queue.SimpleQueue()
        self._children: dict[str, Child] = {}
        self._once: Child | None = None
        self._due: dict[str, tuple[float, Part]] = {}  # restarts to come: when, what
        self._started: dict[str, float] = {}
        self._pauses: dict[str, float] = {}
        self._parent = os.getppid()

    def __enter__(self) -> Self:
        for signum in SIGNALS:
            signal.signal(signum, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, part: Part) -> None:
        """Start ``part``; from now on it is started again whenever it ends."""
        self._started[part.name] = time.monotonic()
        self._children[part.name] = child = self._spawn(part)
        self._remember()
        self._output.say(f"{part.name} started (process {child.running.pid})")

    def run_once(self, part: Part) -> list[str]:
        """Run ``part`` to its end and return its last lines.

        Raises ``StartError`` when its status is not 0.
        """
        self._once = child = self._spawn(part)
        self._remember()
        while self._once is not None:
            self._handle_events(POLL_SECONDS)
        if child.status != 0:
            raise StartError(f"`{part.name}` {child.fate}: its last lines above say why.")
        return list(child.lines)

    def wait_for(
        self, gate: Callable[[], bool], *, seconds: float, every: float = POLL_SECONDS
    ) -> bool:
        """Ask ``gate()`` until it is true, at most ``seconds``; say whether it became true."""
        deadline = time.monotonic() + seconds
        while not gate():
            asked = time.monotonic()
            if asked > deadline:
                return False
            while (left := asked + every - time.monotonic()) > 0:
                self._handle_events(left)
        return True

    def serve(self) -> None:
        """Keep everything running until a signal asks to stop."""
        while True:
            self._handle_events(1.0)

    def stop(self) -> None:
        """Stop everything in order; a signal that comes meanwhile makes it hurry."""
        running = [child.running for child in self._alive()]
        stop_in_order(running, say=self._output.ended, hurry=self._asked_again)
        self._children.clear()
        self._once = None
        self._remember()
        self._watchdog.dismiss()

    def _spawn(self, part: Part) -> Child:
        return Child(
            part,
            self.environment,
            on_line=self._output.line,
            on_exit=self._events.put,
        )

    def _alive(self) -> list[Child]:
        children = [*self._children.values(), *filter(None, [self._once])]
        return [child for child in children if child.status is None]

    def _remember(self) -> None:
        self._register.write(child.running for child in self._alive())

    def _on_signal(self, signum: int, _frame: FrameType | None) -> None:
        self._events.put(signal.Signals(signum))

    def _handle_events(self, seconds: float) -> None:
        """Handle what happens within ``seconds``: deaths, due restarts, a wish to stop."""
        self._watchdog.look()
        if self._abandoned():
            self._output.say("nobody is there any more; stopping in order")
            raise StopAskedError
        with contextlib.suppress(queue.Empty):
            self._handle(self._events.get(timeout=self._until_next_restart(seconds)))
        for name, (at, part) in list(self._due.items()):
            if time.monotonic() >= at:
                del self._due[name]
                self.start(part)

    def _abandoned(self) -> bool:
        """Whether the reader of the output, or the ``make`` that started this, is gone."""
        orphaned = "MAKELEVEL" in os.environ and self._parent != os.getppid()
        return orphaned or self._output.unread

    def _until_next_restart(self, seconds: float) -> float:
        waits = [at - time.monotonic() for at, _ in self._due.values()]
        return max(0.0, min([seconds, *waits]))

    def _handle(self, event: Child | signal.Signals) -> None:
        if isinstance(event, signal.Signals):
            self._output.say(f"{event.name}: stopping in order; once more stops at once")
            raise StopAskedError
        if event is self._once:
            self._once = None
        else:
            self._plan_restart(event)
        self._remember()

    def _plan_restart(self, child: Child) -> None:
        name = child.part.name
        lived = time.monotonic() - self._started[name]
        pause = FIRST_PAUSE if lived > STEADY_SECONDS else self._pauses.get(name, FIRST_PAUSE)
        self._pauses[name] = min(pause * 2, LONGEST_PAUSE)
        self._due[name] = (time.monotonic() + pause, child.part)
        self._output.say(f"{name} {child.fate}; it starts again in {pause:g} s")

    def _asked_again(self) -> bool:
        while True:
            try:
                event = self._events.get_nowait()
            except queue.Empty:
                return False
            if isinstance(event, signal.Signals):
                self._events.put(event)  # stays true
                return True

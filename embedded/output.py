"""What the terminal shows: time, name and text for each line of a part; one box at the end."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedded.running import Running

OWN = "chronos"
COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94]
LONGEST_LINE = 2000  # characters


class Output:
    """Writes whole lines from any thread, each under the name of its part."""

    def __init__(self, width: int = 15) -> None:
        self._width = width
        self._lock = threading.Lock()
        self._colours: dict[str, int] = {}
        self.unread = False  # whoever read it (``make up | head``) went away
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def say(self, text: str) -> None:
        """A line of the supervisor's own."""
        self.line(OWN, text)

    def ended(self, one: Running, text: str) -> None:
        self.say(f"{one.name} {text}")

    def line(self, name: str, text: str) -> None:
        if len(text) > LONGEST_LINE:
            text = f"{text[:LONGEST_LINE]} … {len(text) - LONGEST_LINE} more characters"
        self._write(f"{time.strftime('%H:%M:%S')} {self._label(name)} {text}\n")

    def box(self, rows: Sequence[tuple[str, str]]) -> None:
        """Rows of label and value in a frame; a row with two empty strings is a gap."""
        label = max(len(row[0]) for row in rows)
        lines = [f"{name:<{label}}  {value}" for name, value in rows]
        width = max(map(len, lines))
        framed = [f"│ {line:<{width}} │" for line in lines]
        edge = "─" * (width + 2)
        self._write("\n".join(["", f"╭{edge}╮", *framed, f"╰{edge}╯", "", ""]))

    def _label(self, name: str) -> str:
        label = f"{name:<{self._width}}│"
        if not self._coloured:
            return label
        with self._lock:
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\x1b[{colour}m{label}\x1b[0m"

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", errors="replace")
        with self._lock:
            try:
                while data and not self.unread:
                    data = data[os.write(sys.stdout.fileno(), data) :]
            except BrokenPipeError:
                self.unread = True
            except OSError:
                return  # a full disk or a lost terminal must not stop the parts in disorder

"""How a state looks wherever people see it: one table of icon, word and tone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.html import format_html

if TYPE_CHECKING:
    from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class Look:
    """``tone`` is a CSS class suffix; ``icon`` is SVG path data, a line in a box of 16 by 16."""

    tone: str
    icon: str


_RING = "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0"
_UNKNOWN = Look("calm", f"{_RING}M8 8h.01")

LOOKS: dict[str, Look] = {
    # executions
    "scheduled": Look("calm", f"{_RING}M8 4.5V8l2.5 1.5"),
    "queued": Look("calm", "M3 4h10M3 8h10M3 12h6"),
    "running": Look("busy", "M5 3.5v9l7-4.5z"),
    "waiting": Look("busy", "M4 2h8M4 14h8M5 2c0 6 6 6 6 12M11 2c0 6-6 6-6 12"),
    "succeeded": Look("good", f"{_RING}M5.5 8l2 2 3.5-4"),
    "failed": Look("bad", f"{_RING}M6 6l4 4M10 6l-4 4"),
    "skipped": Look("calm", "M3 4l4 4-4 4M8 4l4 4-4 4M13.5 4v8"),
    "cancelled": Look("calm", f"{_RING}M4 12l8-8"),
    # attempts
    "lost": Look("warn", "M2 13.5h12L8 2.5zM8 6.5V9M8 11.2h.01"),
    "handed_back": Look("calm", "M6 4L2.5 7.5 6 11M2.5 7.5h7a4 4 0 0 1 0 5.5"),
    # jobs, schedules, queues
    "active": Look("good", "M10 8a2 2 0 1 1-4 0 2 2 0 0 1 4 0M3 8h.01M13 8h.01"),
    "paused": Look("warn", "M6 3.5v9M10 3.5v9"),
    "archived": Look("calm", "M2 3h12v3H2zM3 6v7h10V6M6.5 9h3"),
    "disabled": Look("warn", "M2 13.5h12L8 2.5zM8 6.5V9M8 11.2h.01"),
    "done": Look("calm", "M3 8.5l3 3 7-7"),
    # processes
    "fresh": Look("good", "M1.5 8h3l2-5 3 10 2-5h3"),
    "silent": Look("bad", "M2 13.5h12L8 2.5zM8 6.5V9M8 11.2h.01"),
    "stopped": Look("calm", "M4 4h8v8H4z"),
}


def badge(state: str) -> SafeString:
    """Show ``state`` as icon, word and colour; one that is not in the table looks neutral."""
    look = LOOKS.get(state, _UNKNOWN)
    return format_html(
        '<span class="state state-{}"><svg viewBox="0 0 16 16" aria-hidden="true">'
        '<path d="{}"/></svg>{}</span>',
        look.tone,
        look.icon,
        state.replace("_", " "),
    )

"""What operators say when they let jobs rest and go on: why, until when, what became due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

from accounts.row_actions import ReasonForm
from jobs.definitions import Missed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MISSED: dict[Missed, str] = {
    "skip": "skip what was missed",
    "latest": "run the latest missed",
    "all": "run all missed",
}


class RestForm(ReasonForm):
    # Text, because Django calls an action form with a fault in it "no action selected".
    until = forms.CharField(
        label="",
        required=False,
        widget=forms.DateTimeInput(
            {
                "type": "datetime-local",
                "class": "action-reason",
                "aria-label": "Paused until, UTC",
                "title": "Paused until, UTC; until somebody resumes it if empty",
            }
        ),
    )
    missed = forms.ChoiceField(
        label="",
        required=False,
        choices=list(MISSED.items()),
        widget=forms.Select({"class": "action-reason", "aria-label": "What was missed"}),
    )


def missed_of(sent: Mapping[str, str]) -> Missed:
    """Return the word that was sent, or ``skip``."""
    return next((word for word in MISSED if word == sent.get("missed")), "skip")


def until_of(sent: Mapping[str, str], now: datetime) -> datetime | None:
    """Return the instant that was sent, if any.

    Raises ``ValidationError`` for what is none, or past.
    """
    until: datetime | None = forms.DateTimeField(required=False).clean(sent.get("until", ""))
    if until and until <= now:
        raise forms.ValidationError("A pause ends in the future.")
    return until

"""The form by which operators write a job: the body and the rules of the API, as fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.widgets import InstantInput, IntegerInput, NumberInput, Select, Textarea, TextInput
from jobs import bodies, host, kinds, policies, specs
from jobs.form_fields import JsonField, NumbersField, WordsField
from jobs.models import Job, Schedule
from jobs.serializers import JobSerializer
from lib.faults import MAX_SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TEXTS = ("name", "description", "kind", "payload", "tags")
WHEN = ("cron", "timezone", "every_seconds", "run_at")
BOUNDS = ("mode", "starts_at", "ends_at", "max_executions", "jitter_seconds")
SLOTS = (
    *("misfire", "catch_up_max", "catch_up_pace_seconds"),
    *("overlap", "start_deadline_seconds"),
)
DELAYS = ("base_seconds", "max_seconds", "delays_seconds")
RULES = ("jitter", "retry_on", "give_up_on")
LINE = ("queue", "priority", "concurrency", "limit")
RETRY = ("max_attempts", "strategy", *RULES)
POLICY = ("timeout_seconds", "on_lost", *SLOTS, *LINE)
FOLDED = {"classes": ["collapse"]}
FIELDSETS = [
    (None, {"fields": ["team", *TEXTS]}),
    ("Schedule", {"fields": ["schedule_type", *WHEN]}),
    ("Attempts", {"fields": ["max_attempts", "timeout_seconds"]}),
    ("Bounds and jitter", {"fields": [*BOUNDS], **FOLDED}),
    ("Late and overlapping slots", {"fields": [*SLOTS], **FOLDED}),
    ("Retries", {"fields": ["strategy", *DELAYS, *RULES, "on_lost"], **FOLDED}),
    ("Queue and limits", {"fields": [*LINE], **FOLDED}),
]
SCHEDULE = {
    schedule_type: [
        name
        for name in (*WHEN, *BOUNDS)
        if name in (*specs.NEEDED[schedule_type], *specs.TAKEN[schedule_type])
    ]
    for schedule_type in Schedule.Type.values
}
"""What the form asks for a schedule of each type."""

# What the choice above it has no use for is hidden.
SHOWN_WHEN = {
    name: " || ".join(
        f"schedule_type == '{schedule_type}'"
        for schedule_type, names in SCHEDULE.items()
        if name in names
    )
    for name in (*WHEN, *BOUNDS)
} | {
    "base_seconds": "strategy != 'ladder'",
    "max_seconds": "strategy != 'ladder'",
    "delays_seconds": "strategy == 'ladder'",
    "catch_up_max": "misfire == 'all'",
    "catch_up_pace_seconds": "misfire == 'all'",
}


def _choice(options: Iterable[str], **kwargs: Any) -> forms.ChoiceField:
    choices = [(option, option) for option in options]
    return forms.ChoiceField(choices=choices, widget=Select(), **kwargs)


class JobForm(forms.ModelForm[Job]):
    """Validates like the API; ``body`` is then what ``definitions`` takes."""

    name = forms.CharField(max_length=200, widget=TextInput())
    description = forms.CharField(required=False, widget=Textarea({"rows": 2}))
    kind = forms.ChoiceField(choices=kinds.choices, widget=Select())
    payload = JsonField(required=False, help_text="What the kind asks for, as a JSON object.")
    tags = WordsField(required=False, help_text="Between commas.")
    schedule_type = _choice(Schedule.Type.values, label="Type")
    cron = forms.CharField(
        required=False,
        widget=TextInput(),
        help_text="Five fields, or six or seven for Quartz: 0 9 * * 1",
    )
    timezone = forms.CharField(required=False, widget=TextInput(), help_text="An IANA name.")
    every_seconds = forms.IntegerField(
        required=False, widget=IntegerInput(), label="Every", help_text="Seconds."
    )
    run_at = forms.SplitDateTimeField(
        required=False, widget=InstantInput(), help_text="UTC; at once if empty."
    )
    mode = _choice(policies.IntervalMode, help_text="From slot to slot, or from each end on.")
    starts_at = forms.SplitDateTimeField(
        required=False, widget=InstantInput(), help_text="UTC; no slot before."
    )
    ends_at = forms.SplitDateTimeField(
        required=False, widget=InstantInput(), help_text="UTC; no slot from here on."
    )
    max_executions = forms.IntegerField(
        required=False, widget=IntegerInput(), label="Slots in all", help_text="Any if empty."
    )
    jitter_seconds = forms.FloatField(
        required=False,
        widget=NumberInput(),
        label="Jitter",
        help_text="Start up to so many seconds after each slot, always as many.",
    )
    misfire = _choice(policies.Misfire, help_text="What becomes of slots that were noticed late.")
    catch_up_max = forms.IntegerField(
        widget=IntegerInput(), label="Catch up at most", help_text="Slots; older ones are skipped."
    )
    catch_up_pace_seconds = forms.FloatField(
        widget=NumberInput(), label="Catch up every", help_text="Seconds from start to start."
    )
    overlap = _choice(
        policies.Overlap, help_text="What becomes of a slot while the previous one still runs."
    )
    start_deadline_seconds = forms.FloatField(
        required=False,
        widget=NumberInput(),
        label="Start within",
        help_text="Seconds; what waits longer is skipped. For ever if empty.",
    )
    max_attempts = forms.IntegerField(
        widget=IntegerInput(), label="Attempts", help_text="Tries in all."
    )
    strategy = _choice(policies.RetryStrategy, label="Delay", help_text="How it grows.")
    base_seconds = forms.FloatField(
        required=False, widget=NumberInput(), label="First delay", help_text="Seconds."
    )
    max_seconds = forms.FloatField(
        required=False, widget=NumberInput(), label="Longest delay", help_text="Seconds."
    )
    delays_seconds = NumbersField(
        required=False, label="Delays", help_text="Seconds, between commas; the last one repeats."
    )
    jitter = _choice(
        policies.Jitter,
        label="Spread",
        help_text="full: wait anything between nothing and the delay.",
    )
    retry_on = WordsField(
        required=False,
        help_text="Only these, if there are any: timeout, 503, 5xx, ValueError, between commas.",
    )
    give_up_on = WordsField(required=False, help_text="Never these.")
    timeout_seconds = forms.FloatField(
        widget=NumberInput(), label="Time limit", help_text="Seconds, of one attempt."
    )
    on_lost = _choice(policies.OnLost, label="Worker lost", help_text="What then.")
    queue = forms.ChoiceField(widget=Select())
    priority = _choice([priority.word for priority in policies.Priority])
    concurrency = forms.IntegerField(
        required=False, widget=IntegerInput(), label="At once", help_text="Any number if empty."
    )
    limit = forms.CharField(
        required=False, widget=TextInput(), help_text="The name of a limit of the team."
    )

    class Meta:
        model = Job
        fields = ["team", "name", "description", "kind", "tags"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        job = kwargs.get("instance")
        body = bodies.of(job) if job else bodies.DEFAULTS
        kwargs["initial"] = _initial(body) | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        if "queue" in self.fields:
            self.fields["queue"] = _choice(sorted(host.queue_names()))
        self.body: dict[str, Any] = {}

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if self.errors:
            return values
        kept = not self.instance._state.adding
        serializer = JobSerializer(
            self.instance if kept else None,
            data=_body(values | self._untouched()),
            context={"now": host.now(), "team": self.instance.team if kept else values["team"]},
        )
        if serializer.is_valid():
            self.body = serializer.validated_data
        for path, fault in _faults(serializer.errors):
            self._tell(path, fault)
        return values

    def _untouched(self) -> dict[str, Any]:
        """Instants lose their microseconds on the way through a browser."""
        instants = [name for name in ("run_at", "starts_at", "ends_at") if self.initial.get(name)]
        return {name: self.initial[name] for name in instants if name not in self.changed_data}

    def _tell(self, path: tuple[str, ...], fault: Any) -> None:
        text = " ".join(_words(fault))
        match path:
            case ("payload", *inner) if inner:
                self.add_error("payload", f"{'.'.join(inner)}: {text}")
            case ("schedule", "type"):
                self.add_error("schedule_type", text)
            case _:
                named = [name for name in path if name in self.fields]
                self.add_error(named[-1] if named else None, text)


def _initial(body: dict[str, Any]) -> dict[str, Any]:
    whole = bodies.spelt_out(body)
    texts = {name: body[name] for name in TEXTS if name in body}
    return {
        **specs.UNSET,
        "delays_seconds": bodies.LADDER,
        **bodies.DEFAULTS["retry"],
        **texts,
        **whole["schedule"],
        "schedule_type": body["schedule"]["type"],
        **whole["retry"],
        **whole["policy"],
    }


def _body(values: dict[str, Any]) -> dict[str, Any]:
    schedule_type = values["schedule_type"]
    delays = DELAYS[2:] if values["strategy"] == policies.RetryStrategy.LADDER else DELAYS[:2]
    return {
        **{name: values[name] for name in TEXTS},
        "schedule": {"type": schedule_type, **_filled(values, SCHEDULE[schedule_type])},
        "retry": _filled(values, (*RETRY, *delays)),
        "policy": _filled(values, POLICY),
    }


def _filled(values: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Leave out what nobody filled in."""
    return {name: values[name] for name in names if values[name] not in ("", None, [])}


def _words(fault: Any) -> Iterator[str]:
    yield str(fault)
    if hint := getattr(fault.code, "hint", ""):
        yield hint
    elif allowed := getattr(fault.code, "allowed", None):
        yield f"There is {', '.join(allowed[:MAX_SHOWN])}."


def _faults(detail: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each fault of a serializer's errors with the names that lead to it."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _faults(inner, (*path, str(name)))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _faults(inner, path)
    else:
        yield path, detail

"""The form by which operators write a job: the body and the rules of the API, as fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from rest_framework.exceptions import ParseError

from accounts.cells import pretty
from accounts.widgets import InstantInput, IntegerInput, NumberInput, Select, Textarea, TextInput
from jobs import bodies, host, kinds, policies
from jobs.models import Job, Schedule
from jobs.serializers import JobSerializer
from lib import strict_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TEXTS = ("name", "description", "kind", "payload", "tags")
SCHEDULE = ("cron", "timezone", "every_seconds", "run_at")
RETRY = ("max_attempts", "strategy", "base_seconds", "max_seconds")
POLICY = ("timeout_seconds", "overlap", "misfire", "priority", "queue", "on_lost")
FIELDSETS = [
    (None, {"fields": ["team", *TEXTS]}),
    ("Schedule", {"fields": ["schedule_type", *SCHEDULE, "misfire", "overlap"]}),
    ("Attempts", {"fields": [*RETRY, "timeout_seconds", "on_lost"]}),
    ("Queue", {"fields": ["queue", "priority"]}),
]
NEEDED = {
    Schedule.Type.MANUAL: (),
    Schedule.Type.ONCE: ("run_at",),
    Schedule.Type.INTERVAL: ("every_seconds",),
    Schedule.Type.CRON: ("cron", "timezone"),
}
# What a schedule of another type does not need is hidden while that type is chosen.
SHOWN_WHEN = {
    name: f"schedule_type == '{schedule_type}'"
    for schedule_type, names in NEEDED.items()
    for name in names
}


class JsonField(forms.CharField):
    """A JSON object, shown indented."""

    widget = Textarea({"rows": 8, "class": "code", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else pretty(value)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            return strict_json.parse(text.encode("utf-8", "replace")) if text else {}
        except ParseError as exc:
            raise forms.ValidationError(str(exc.detail)) from exc


class TagsField(forms.CharField):
    """Words between commas."""

    widget = TextInput()

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else ", ".join(value or [])

    def to_python(self, value: Any) -> Any:
        return [tag.strip() for tag in str(super().to_python(value)).split(",") if tag.strip()]


def _choice(options: Iterable[str], **kwargs: Any) -> forms.ChoiceField:
    choices = [(option, option) for option in options]
    return forms.ChoiceField(choices=choices, widget=Select(), **kwargs)


class JobForm(forms.ModelForm[Job]):
    """Validates like the API; ``body`` is then what ``definitions`` takes."""

    name = forms.CharField(max_length=200, widget=TextInput())
    description = forms.CharField(required=False, widget=Textarea({"rows": 2}))
    kind = forms.ChoiceField(choices=kinds.choices, widget=Select())
    payload = JsonField(required=False, help_text="What the kind asks for, as a JSON object.")
    tags = TagsField(required=False, help_text="Between commas.")
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
    misfire = _choice(policies.Misfire, help_text="What becomes of slots that were noticed late.")
    overlap = _choice(
        policies.Overlap, help_text="What becomes of a slot while the previous one still runs."
    )
    max_attempts = forms.IntegerField(
        widget=IntegerInput(), label="Attempts", help_text="Tries in all."
    )
    strategy = _choice(policies.RetryStrategy, label="Delay", help_text="How it grows.")
    base_seconds = forms.FloatField(widget=NumberInput(), label="First delay", help_text="Seconds.")
    max_seconds = forms.FloatField(
        widget=NumberInput(), label="Longest delay", help_text="Seconds."
    )
    timeout_seconds = forms.FloatField(
        widget=NumberInput(), label="Time limit", help_text="Seconds, of one attempt."
    )
    on_lost = _choice(policies.OnLost, label="Worker lost", help_text="What then.")
    queue = forms.ChoiceField(widget=Select())
    priority = _choice([priority.word for priority in policies.Priority])

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
            data=_body(values),
            partial=kept,
            context={"now": host.now()},
        )
        if serializer.is_valid():
            self.body = serializer.validated_data
        for path, fault in _faults(serializer.errors):
            self._tell(path, fault)
        return values

    def _tell(self, path: tuple[str, ...], fault: Any) -> None:
        hint = getattr(fault.code, "hint", "")
        text = f"{fault} {hint}".strip()
        match path:
            case ("payload", *inner) if inner:
                self.add_error("payload", f"{'.'.join(inner)}: {text}")
            case ("schedule", "type"):
                self.add_error("schedule_type", text)
            case _:
                named = [name for name in path if name in self.fields]
                self.add_error(named[-1] if named else None, text)


def _initial(body: dict[str, Any]) -> dict[str, Any]:
    schedule = body["schedule"]
    texts = {name: body[name] for name in TEXTS if name in body}
    return {
        **texts,
        "timezone": "UTC",
        **{name: schedule[name] for name in SCHEDULE if name in schedule},
        "schedule_type": schedule["type"],
        **body["retry"],
        **body["policy"],
    }


def _body(values: dict[str, Any]) -> dict[str, Any]:
    schedule_type = values["schedule_type"]
    given = {name: values[name] for name in NEEDED[schedule_type] if values[name] not in ("", None)}
    return {
        **{name: values[name] for name in TEXTS},
        "schedule": {"type": schedule_type, **given},
        "retry": {name: values[name] for name in RETRY},
        "policy": {name: values[name] for name in POLICY},
    }


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

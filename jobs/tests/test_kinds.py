"""Rules of jobs/kinds/__init__.py and of what all kinds share."""

from __future__ import annotations

import pytest
from rest_framework import serializers

from jobs import kinds
from jobs.tests.contexts import a_context
from lib.serializers import StrictSerializer


class Ticket(StrictSerializer):
    colour = serializers.CharField()
    seats = serializers.IntegerField(max_value=4)


def test_every_kind_is_found_under_its_name() -> None:
    assert {"http", "noop", "python"} <= set(kinds.all_kinds())
    assert all(kinds.get(name).name == name for name in kinds.all_kinds())


def test_the_choices_name_and_label_every_kind() -> None:
    assert ("http", "HTTP request") in kinds.choices()
    assert len(kinds.choices()) == len(kinds.all_kinds())


def test_an_unknown_kind_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(kinds.UnknownKindError, match=r"'htp'; there are .*http, noop, python"):
        kinds.get("htp")


def test_all_faults_of_a_payload_are_reported_at_once() -> None:
    ticket = Ticket(data={"color": "red", "seats": 5})

    assert not ticket.is_valid()
    faults = {field: fault[0].code for field, fault in ticket.errors.items()}
    assert faults == {"color": "unknown_field", "colour": "required", "seats": "max_value"}
    assert ticket.errors["color"][0].code.hint == "Did you mean 'colour'?"


@pytest.mark.parametrize("data", [None, [], "text", 5])
@pytest.mark.parametrize("kind", ["http", "noop", "python"])
def test_a_payload_is_an_object(kind: str, data: object) -> None:
    assert not kinds.get(kind).payload(data=data).is_valid()


def test_noop_returns_its_payload_and_says_so() -> None:
    payload = {"template": "weekly_digest", "nested": {"a": [1, None]}}
    written: list[str] = []
    noop = kinds.get("noop")

    checked = noop.payload(data=payload)
    assert checked.is_valid()
    outcome = noop.run(
        checked.validated_data, a_context(write=lambda stream, text: written.append(text))
    )

    assert getattr(outcome, "result", None) == payload
    assert written == ["nothing to do\n"]

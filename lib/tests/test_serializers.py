"""Rules of `lib.serializers` and `lib.faults`."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from lib.faults import MAX_SHOWN, Code, fault, unknown
from lib.serializers import StrictSerializer


class Inner(StrictSerializer):
    size = serializers.IntegerField()


class Outer(StrictSerializer):
    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField()
    inner = Inner(required=False)
    more = Inner(many=True, required=False)


def faults(data: Any) -> Any:
    serializer = Outer(data=data)
    assert not serializer.is_valid()
    return serializer.errors


def test_what_is_known_is_taken() -> None:
    serializer = Outer(data={"name": "a", "inner": {"size": 1}, "more": [{"size": 2}]})

    assert serializer.is_valid()
    assert serializer.validated_data["more"] == [{"size": 2}]


def test_an_unknown_field_is_refused_with_its_nearest_neighbour() -> None:
    detail = faults({"name": "a", "innre": {}})["innre"][0]

    assert detail.code == "unknown_field"
    assert detail.code.hint == "Did you mean 'inner'?"
    assert detail.code.allowed == ["inner", "more", "name"]


def test_a_field_that_is_nothing_like_a_known_one_gets_them_all() -> None:
    assert faults({"name": "a", "zzz": 1})["zzz"][0].code.hint == "Known: inner, more, name."


def test_a_read_only_field_is_refused() -> None:
    assert faults({"name": "a", "id": 1})["id"][0].code == "read_only_field"


def test_unknown_fields_inside_are_refused_where_they_are() -> None:
    errors = faults({"name": "a", "inner": {"sise": 1}, "more": [{"size": 1}, {"sice": 2}]})

    assert errors["inner"]["sise"][0].code == "unknown_field"
    assert errors["more"][1]["sice"][0].code == "unknown_field"
    assert set(errors["more"]) == {1}


def test_all_faults_are_reported_at_once() -> None:
    errors = faults({"nmae": "a", "inner": {"size": "x", "sise": 1}})

    assert set(errors) == {"nmae", "name", "inner"}
    assert set(errors["inner"]) == {"size", "sise"}


@pytest.mark.parametrize("data", [None, 1, "x", [], [{}], True])
def test_what_is_no_object_is_refused(data: Any) -> None:
    assert set(faults(data)) == {"non_field_errors"}


def test_a_code_is_a_word_that_carries_its_hint_through_drf() -> None:
    detail = ValidationError({"a": [fault("No.", "word", "Try b.", ["b"])]}).detail
    code = detail["a"][0].code  # type: ignore[call-overload,index,union-attr]  # what DRF nests

    assert code == "word"
    assert code.hint == "Try b."
    assert code.allowed == ["b"]


def test_a_code_can_be_copied() -> None:
    code = copy.deepcopy(Code("word", "hint", ["b"]))

    assert (code, code.hint, code.allowed) == ("word", "hint", ["b"])


def test_of_ten_thousand_unknown_names_only_the_first_get_a_neighbour() -> None:
    names = [f"colour{'x' * 50}{n}" for n in range(10_000)]

    found = unknown(names, [f"color{n}" for n in range(50)], what="field")

    assert len(found) == 10_000
    hints = [getattr(found[name].code, "hint", "") for name in names]
    assert all(hints[:MAX_SHOWN])
    assert not any(hints[MAX_SHOWN:])
    assert isinstance(found[names[-1]], ErrorDetail)

"""Fields take a value exactly as it was sent, or refuse it with a code that says why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError
from rest_framework.fields import Field

from lib.fields import Instant, Line, Number, Text, Whole, Word, parse_instant


def code_of(field: Field[Any, Any, Any, Any], value: Any) -> str:
    with pytest.raises(ValidationError) as refusal:
        field.run_validation(value)
    (detail,) = refusal.value.detail
    return str(getattr(detail, "code", ""))


@pytest.mark.parametrize("text", [" padded ", "a\nb", "\u202e", "<b>", "0"])
def test_text_is_kept_as_it_was_sent(text: str) -> None:
    assert Text().run_validation(text) == text


@pytest.mark.parametrize("value", [5, 1.5, True, [], {}, b"x"])
@pytest.mark.parametrize("field", [Text(), Line()])
def test_only_text_is_text(field: Text, value: Any) -> None:
    assert code_of(field, value) == "invalid"


@pytest.mark.parametrize(
    "text", ["Report", "a b", "a\u200bb", "\U0001f468\u200d\U0001f469", "\u0645"]
)
def test_a_line_has_something_to_see(text: str) -> None:
    assert Line().run_validation(text) == text


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "blank"), (" ", "blank"), ("\u200b", "blank"), ("a ", "surrounding_blank"),
     ("a\nb", "control_characters"), ("a\u202eb", "control_characters"),
     ("a\u2028b", "control_characters"), ("\x7f", "control_characters")],
)  # fmt: skip
def test_a_line_plays_no_tricks(text: str, code: str) -> None:
    assert code_of(Line(), text) == code


def test_a_line_may_be_empty_where_that_is_allowed() -> None:
    assert Line(allow_blank=True).run_validation("") == ""


def test_a_wrong_word_is_told_the_right_ones() -> None:
    field = Word(choices=["skip", "latest"])
    with pytest.raises(ValidationError) as refusal:
        field.run_validation("latst")
    faults: Any = refusal.value.detail
    (detail,) = faults
    assert detail.code == "invalid_choice"
    assert detail.code.allowed == ["skip", "latest"]
    assert "latest" in detail.code.hint


@pytest.mark.parametrize("value", ["SKIP", "", 0, True, ["skip"], {"skip": 1}, "x" * 100_000])
def test_a_word_is_one_of_the_given(value: Any) -> None:
    assert code_of(Word(choices=["skip", "latest"]), value) == "invalid_choice"


@pytest.mark.parametrize(("value", "number"), [(3, 3), (3.0, 3), (-(2**63), -(2**63)), (0, 0)])
def test_a_whole_number(value: Any, number: int) -> None:
    whole = Whole().run_validation(value)
    assert (whole, type(whole)) == (number, int)


@pytest.mark.parametrize(
    "value", ["3", "", True, False, 3.5, float("nan"), float("inf"), [], {}, 1e-300]
)
def test_no_whole_number(value: Any) -> None:
    assert code_of(Whole(), value) == "invalid"


@pytest.mark.parametrize(("value", "number"), [(3, 3.0), (0.5, 0.5), (1e308, 1e308), (-0.0, 0.0)])
def test_a_number(value: Any, number: float) -> None:
    assert Number().run_validation(value) == number


@pytest.mark.parametrize(
    "value", ["3", "NaN", True, float("nan"), float("-inf"), 10**400, [], None]
)
def test_no_number(value: Any) -> None:
    assert code_of(Number(), value) == ("null" if value is None else "invalid")


@pytest.mark.parametrize("value", [-1, 10**400, 11])
def test_numbers_keep_to_their_bounds(value: Any) -> None:
    assert code_of(Whole(min_value=0, max_value=10), value) in ("min_value", "max_value")


CHRISTMAS = datetime(2027, 12, 25, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2027-12-25T10:00:00Z", "2027-12-25t10:00:00z", "2027-12-25 10:00:00+00:00",
     "2027-12-25T10:00Z",
     "2027-12-25T11:30:00+01:30", "2027-12-24T10:01:00-23:59", "2027-12-25T10:00:00.000000000Z",
     "2027-12-25T10:00:00-00:00"],
)  # fmt: skip
def test_an_instant_is_read_in_utc(text: str) -> None:
    instant = parse_instant(text)
    assert (instant, instant.tzinfo) == (CHRISTMAS, UTC)


@pytest.mark.parametrize(
    "text",
    ["2027-12-25T10:00:00", "2027-12-25", "20271225T100000Z", "2027-W51-6T10:00:00Z",
     "2027-02-30T10:00:00Z", "2027-12-25T10:00:60Z", "2027-12-25T25:00:00Z", "0000-01-01T00:00:00Z",
     "2027-12-25T10:00:00+24:00", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
     "12027-12-25T10:00:00Z", "2027-12-25T10:00:00Z ", "", "now", 5, None, True, [], CHRISTMAS],
)  # fmt: skip
def test_no_instant(text: Any) -> None:
    with pytest.raises(ValueError, match="instant"):
        parse_instant(text)


def test_an_instant_that_was_read_before_is_fine() -> None:
    assert Instant().run_validation(CHRISTMAS) == CHRISTMAS


def test_an_instant_is_answered_in_utc() -> None:
    local = CHRISTMAS.astimezone(timezone(timedelta(hours=9)))
    assert Instant().to_representation(local) == "2027-12-25T10:00:00Z"

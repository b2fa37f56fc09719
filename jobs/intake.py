"""Job definitions by the thousand: each is validated as the API validates it, its parts once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.validators import ProhibitNullCharactersValidator
from rest_framework.exceptions import ValidationError
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from jobs.serializers import JobSerializer
from jobs.serializers.job import DEFAULTS
from lib.strict_json import MAX_BYTES, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from typing import BinaryIO

    from rest_framework.serializers import Field

    from accounts.models import Team

OWN = frozenset(["name", "slug", "description"])  # of each job
MOST_KEPT = 20_000  # validated parts

_PARSED = (ProhibitNullCharactersValidator, ProhibitSurrogateCharactersValidator)


class Intake:
    """Reads job definitions for ``team`` as of ``now``, which must not be long ago.

    A definition in canonical words whose parts are valid one by one is valid: the serializer of
    jobs holds no part against another, save by the kind, which is in the key. All others, in other
    spellings or with faults, go through that serializer as a whole.
    """

    def __init__(self, team: Team, *, now: datetime) -> None:
        self.now = now
        self._context = {"team": team, "now": now}
        self._serializer = JobSerializer(context=self._context)
        self._fields: dict[str, Field[Any, Any, Any, Any]] = {
            name: field for name, field in self._serializer.fields.items() if not field.read_only
        }
        for name in OWN:  # the parser has refused U+0000 and lone surrogates
            self._fields[name].validators = [
                one for one in self._fields[name].validators if not isinstance(one, _PARSED)
            ]
        self._checks: dict[str, Callable[[Any], Any]] = {
            name: getattr(self._serializer, f"validate_{name}", _as_it_is) for name in self._fields
        }
        self._valid: dict[tuple[str, str, str], Any] = {}

    def read(self, line: bytes) -> dict[str, Any]:
        """Return the canonical body that ``line`` says, with all that it leaves out.

        Raises ``ParseError`` and ``ValidationError`` as the API does.
        """
        data = parse(line)
        if isinstance(data, dict) and data.keys() <= self._fields.keys():
            try:
                return self._by_parts(data)
            except ValidationError:
                pass  # the serializer tells all that is wrong, in the caller's words
        serializer = JobSerializer(data=data, context=self._context)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _by_parts(self, data: dict[str, Any]) -> dict[str, Any]:
        said = {**DEFAULTS, **data}
        kind = self._part("kind", said["kind"], "")
        self._serializer.kind_name = kind
        if "name" not in data:
            raise ValidationError  # of the serializer, in a moment
        return {
            name: self._checked(name, value) if name in OWN else self._part(name, value, kind)
            for name, value in said.items()
        }

    def _part(self, name: str, value: Any, kind: str) -> Any:
        key = (name, kind, json.dumps(value))
        try:
            return self._valid[key]
        except KeyError:
            if len(self._valid) >= MOST_KEPT:
                self._valid.clear()
        valid = self._valid[key] = self._checked(name, value)
        return valid

    def _checked(self, name: str, value: Any) -> Any:
        return self._checks[name](self._fields[name].run_validation(value))


def lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the number, from 1, and the content of each line that is not empty.

    Of a line that is longer than the API takes only as much is read as shows that it is.
    """
    number = 0
    while line := stream.readline(MAX_BYTES + 1):
        number += 1
        rest = line
        while len(rest) > MAX_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_BYTES + 1)
        if line.strip():
            yield number, line


def _as_it_is(value: Any) -> Any:
    return value

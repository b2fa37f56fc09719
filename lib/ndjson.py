"""A body of many JSON documents, one a line: a parser that only takes the lines apart."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from rest_framework.parsers import BaseParser

from lib import strict_json
from lib.faults import BodyTooLargeError

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE = "application/x-ndjson"
MAX_BYTES = 8 * 1024 * 1024


class Lines(list[str]):
    """Lines that are still text: whoever takes one of them parses it with ``strict_json``."""


class LinesParser(BaseParser):
    """Lines end with LF or CRLF; empty ones do not count. 413 when longer than ``MAX_BYTES``."""

    media_type = MEDIA_TYPE

    def parse(  # type: ignore[override]  # the stubs know only objects
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Lines:
        body = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise BodyTooLargeError(f"The body is longer than {MAX_BYTES // 2**20} MiB.")
        lines = strict_json.decode(body).split("\n")
        return Lines(line for line in lines if line.strip("\r\t "))

"""Whatever is sent instead of a good body, the answer says what is wrong, and nothing happens."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import TokenFamily, User

pytestmark = pytest.mark.django_db

MIB = 1024 * 1024
PATHS = ["/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/refresh"]
GOOD = b'{"email": "ada@example.org", "password": "correct horse battery staple"}'
MANY_KEYS = b"{" + b",".join(b'"%d":0' % n for n in range(100_000)) + b"}"

NOT_JSON: dict[str, tuple[bytes, str]] = {
    "malformed": (b'{"email": ', "json_invalid"),
    "single quotes": (b"{'email': 'a'}", "json_invalid"),
    "comma at the end": (b'{"email": "a",}', "json_invalid"),
    "comment": (b'{/* */ "email": "a"}', "json_invalid"),
    "blank": (b"  \n ", "json_invalid"),
    "form": (b"email=ada%40example.org", "json_invalid"),
    "raw control character": (b'{"email": "a\x00b"}', "json_invalid"),
    "two documents": (GOOD + GOOD, "json_invalid"),
    "two lines": (GOOD + b"\n" + GOOD, "json_invalid"),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD, "json_bom"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "json_encoding"),
    "Latin-1": (b'{"email": "\xe4"}', "json_encoding"),
    "surrogate in UTF-8": (b'{"email": "\xed\xa0\x80"}', "json_encoding"),
    "same key twice": (b'{"email": "a@b.org", "email": "c@d.org"}', "json_duplicate_key"),
    "same key twice, inside": (b'{"email": {"a": 1, "a": 2}}', "json_duplicate_key"),
    "NaN": (b'{"email": NaN}', "json_number"),
    "infinity": (b'{"email": -Infinity}', "json_number"),
    "1e400": (b'{"email": 1e400}', "json_number"),
    "2 to the 63": (b'{"email": 9223372036854775808}', "json_number"),
    "5 000 digits": (b'{"email": ' + b"9" * 5000 + b"}", "json_number"),
    "U+0000": (b'{"email": "a\\u0000b"}', "json_nul"),
    "U+0000 in a key": (b'{"e\\u0000": "a"}', "json_nul"),
    "lone surrogate": (b'{"email": "\\ud800"}', "json_surrogate"),
    "lone surrogate in a key": (b'{"\\udfff": "a"}', "json_surrogate"),
    "pair the wrong way round": (b'{"email": "\\ude00\\ud83d"}', "json_surrogate"),
    "100 000 brackets": (b"[" * 100_000, "json_too_deep"),
    "100 000 levels": (b'{"a":' * 100_000, "json_too_deep"),
    "100 000 keys": (MANY_KEYS, "json_too_many_keys"),
    "300 000 arrays": (b"[" + b"[]," * 300_000 + b"[]]", "json_too_many_values"),
}
NO_OBJECT = [b"null", b"true", b"7", b'"text"', b"[]", b"[{}]", b"1.5"]


def send(path: str, body: bytes, content_type: str = "application/json") -> Any:
    return APIClient().generic("POST", path, body, content_type=content_type)  # type: ignore[arg-type]  # takes bytes as well


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("case", NOT_JSON)
def test_what_is_not_json_is_a_400_that_says_so(path: str, case: str) -> None:
    body, code = NOT_JSON[case]
    start = time.thread_time()

    answer = send(path, body)

    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert time.thread_time() - start < 1.0
    assert len(answer.content) < 2000
    assert not User.objects.exists()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", NO_OBJECT)
def test_json_that_is_no_object_is_a_400(path: str, body: bytes) -> None:
    answer = send(path, body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == ""


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_an_empty_body_lacks_what_is_required(path: str, body: bytes) -> None:
    answer = send(path, body)

    assert answer.status_code == 400
    assert {error["code"] for error in answer.json()["errors"]} == {"required"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [MIB + 1, 5 * MIB])
def test_a_body_above_one_mebibyte_is_a_413(path: str, size: int) -> None:
    answer = send(path, b'{"email": "' + b"a" * size + b'"}')

    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "nonsense",
    ],
)
def test_a_body_that_is_not_called_json_is_a_415(path: str, content_type: str) -> None:
    answer = send(path, GOOD, content_type)

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"
    assert not TokenFamily.objects.exists()


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "application/json;charset=utf-16", "Application/JSON"],
)
def test_json_is_utf_8_whatever_its_parameters_say(content_type: str) -> None:
    assert send(PATHS[0], GOOD, content_type).status_code == 201


def test_ten_thousand_unknown_fields_are_answered_briefly() -> None:
    body = json.dumps({f"emial{n}": n for n in range(9_990)}).encode()
    start = time.thread_time()

    answer = send(PATHS[0], body)

    assert answer.status_code == 400
    assert len(answer.json()["errors"]) == 100
    assert time.thread_time() - start < 1.0


def test_long_names_and_values_are_not_sent_back_whole() -> None:
    body = json.dumps({"x" * 100_000: "y", "email": "z" * 100_000}).encode()

    assert len(send(PATHS[0], body).content) < 4000


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "FOO", "TRACE"])
def test_another_method_is_a_405(path: str, method: str) -> None:
    answer = APIClient().generic(method, path)

    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert "POST" in answer["Allow"]

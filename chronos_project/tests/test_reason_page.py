"""The page that the links of reasons lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from executions.reasons import PAGE, REASONS

if TYPE_CHECKING:
    from django.test import Client


def test_every_reason_has_its_place_on_the_page(client: Client) -> None:
    text = client.get(PAGE).content.decode().partition("<h1>")[2]

    assert [code for code in REASONS if f'id="{code}"' not in text] == []
    assert "{" not in text
    assert "the slot <i>slot</i> of the schedule of <i>job</i>" in text

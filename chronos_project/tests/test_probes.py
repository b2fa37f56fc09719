"""Probes: however many ask, a part is asked once, and nobody waits for long."""

from __future__ import annotations

import time
from threading import Event

import pytest

from chronos_project.probes import Answer, Component, Probe


def test_callers_share_the_question_that_is_under_way() -> None:
    asked, may_answer = [], Event()

    def ask() -> Answer:
        asked.append(1)
        may_answer.wait(timeout=10)
        return {"part": Component(up=True)}

    probe = Probe(ask, "part")
    probe.start()
    assert not probe.wait(time.monotonic())["part"].up  # no answer yet
    probe.start()
    may_answer.set()

    assert probe.wait(time.monotonic() + 10)["part"].up
    assert asked == [1]


def test_a_young_answer_is_given_again_and_an_old_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def ask() -> Answer:
        asked.append(1)
        return {"part": Component(up=True)}

    def once() -> None:
        probe.start()
        probe.wait(time.monotonic() + 10)

    probe = Probe(ask, "part")
    once()
    once()
    assert asked == [1]
    monkeypatch.setattr("chronos_project.probes.KEEP_SECONDS", 0)
    once()

    assert asked == [1, 1]


def test_whatever_goes_wrong_means_down_and_is_told_by_its_class_alone() -> None:
    def ask() -> Answer:
        raise ConnectionError("postgres://user:secret@host refused")

    probe = Probe(ask, "one", "two")
    probe.start()

    down = Component(up=False, detail={"error": "ConnectionError"})
    assert probe.wait(time.monotonic() + 10) == {"one": down, "two": down}

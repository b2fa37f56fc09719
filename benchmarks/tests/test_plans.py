"""What the forms measure, and how they are narrowed."""

from __future__ import annotations

import pytest

from benchmarks import plans
from benchmarks.contenders import CONTENDERS
from benchmarks.goals import GOALS
from benchmarks.lines import Key
from benchmarks.tables import SECTIONS
from embedded.errors import StartError


def test_what_is_judged_is_measured_by_the_full_form() -> None:
    visits = [*plans.full().visits, *plans.full(rows=10_000_000).visits]
    measured = {
        (visit.contender, Key(run.scenario, run.label)) for visit in visits for run in visit.runs
    }

    for goal in GOALS:
        assert ("chronos", goal.key) in measured, goal
        if goal.peer:
            assert (goal.peer, goal.peer_key or goal.key) in measured, goal


def test_every_contender_is_known() -> None:
    for form in (plans.full(), plans.quick()):
        assert {visit.contender for visit in form.visits} <= CONTENDERS.keys()


def test_every_scenario_has_its_section_on_the_page() -> None:
    measured = {run.scenario for visit in plans.full().visits for run in visit.runs}

    assert measured == {section.scenario for section in SECTIONS}


def test_a_form_can_be_narrowed_to_scenarios_and_contenders() -> None:
    form = plans.chosen(plans.quick(), {"S2"}, {"chronos", "celery"})

    assert [visit.contender for visit in form.visits] == ["chronos", "celery"]
    assert {run.scenario for visit in form.visits for run in visit.runs} == {"S2"}


def test_a_form_without_some_contenders_does_not_count_as_full() -> None:
    assert plans.chosen(plans.full(), {"S1"}, set()).name == plans.FULL
    assert plans.chosen(plans.full(), {"S1"}, {"chronos"}).name != plans.FULL


def test_a_name_that_nobody_has_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(StartError, match=r"no sidekiq: say .*celery"):
        plans.chosen(plans.quick(), set(), {"sidekiq"})

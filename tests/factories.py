"""Rows for tests: a factory call names only what matters to the story."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.models import Membership, Team, User
from accounts.roles import Role
from executions.models import Execution, Origin, Queue, Redrive, Status
from jobs.models import Job, JobVersion, Schedule
from jobs.policies import Priority
from lib.ids import new_id

NOON = datetime(2027, 6, 15, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"


class UserFactory(DjangoModelFactory[User]):
    """A person with a personal team, whose password is ``PASSWORD``."""

    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"user{n}@example.org")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return User.objects.create_user(password=PASSWORD, **kwargs)


class TeamFactory(DjangoModelFactory[Team]):
    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"Team {n}")


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    team = factory.SubFactory(TeamFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.EDITOR


class QueueFactory(DjangoModelFactory[Queue]):
    class Meta:
        model = Queue
        django_get_or_create = ["name"]

    name = "default"


class JobFactory(DjangoModelFactory[Job]):
    """A job with its first version and a schedule that only runs by hand.

    ``version__…`` and ``schedule__…`` set their fields: ``JobFactory.create(version__queue="x")``.
    The default queue is there: tests with transactions of their own leave no row behind, not even
    those that the migrations made.
    """

    class Meta:
        model = Job
        skip_postgeneration_save = True

    team = factory.SubFactory(TeamFactory)
    name = factory.Sequence(lambda n: f"Job {n}")
    slug = factory.Sequence(lambda n: f"job-{n}")
    kind = "noop"
    created_at = NOON

    @classmethod
    def _create(cls, model_class: type[Job], *args: Any, **kwargs: Any) -> Job:
        QueueFactory.create()
        return super()._create(model_class, *args, **kwargs)

    @factory.post_generation
    def version(self: Job, create: bool, extracted: Any, **fields: Any) -> None:
        self.current = JobVersion.objects.create(
            **{"job": self, "number": 1, "kind": self.kind} | fields
        )
        self.save(update_fields=["current"])

    @factory.post_generation
    def schedule(self: Job, create: bool, extracted: Any, **fields: Any) -> None:
        if extracted is not False:
            Schedule.objects.create(job=self, **fields)


class ScheduleFactory(DjangoModelFactory[Schedule]):
    """The schedule of a new job: every minute since NOON, due at NOON."""

    class Meta:
        model = Schedule

    job = factory.SubFactory(JobFactory, schedule=False)
    type = Schedule.Type.INTERVAL
    every_seconds = 60
    anchor = NOON
    next_fire_at = NOON


class ExecutionFactory(DjangoModelFactory[Execution]):
    """An execution that is due at NOON; a running one has a lease, a finished one its end."""

    class Meta:
        model = Execution

    job = factory.SubFactory(JobFactory)
    team = factory.SelfAttribute("job.team")
    version = factory.SelfAttribute("job.current")
    kind = factory.SelfAttribute("job.kind")
    priority = Priority.NORMAL
    origin = Origin.MANUAL
    status = Status.SCHEDULED
    due_at = NOON
    created_at = NOON
    lease_expires_at = factory.Maybe(
        factory.LazyAttribute(lambda row: row.status == Status.RUNNING), NOON, None
    )
    finished_at = factory.Maybe(
        factory.LazyAttribute(
            lambda row: (
                row.status in {Status.SUCCEEDED, Status.FAILED, Status.SKIPPED, Status.CANCELLED}
            )
        ),
        NOON,
        None,
    )


class RedriveFactory(DjangoModelFactory[Redrive]):
    """A redrive of one cause that began at NOON and has started nothing yet."""

    class Meta:
        model = Redrive

    team = factory.SubFactory(TeamFactory)
    fingerprint = "f" * 32
    mode = Redrive.Mode.ALL
    up_to = factory.LazyFunction(new_id)
    total = 1
    next_at = NOON
    created_by = "ann"
    created_at = NOON

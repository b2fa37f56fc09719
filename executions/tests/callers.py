"""People who call the API in tests: each in a team of their own, with a role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework.test import APIClient

from accounts.models import Membership, Team, User
from accounts.roles import Role
from executions.models import Execution
from jobs.models import Job
from tests.factories import ExecutionFactory, JobFactory, UserFactory

API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Caller:
    client: APIClient
    user: User
    team: Team

    def job(self, **fields: Any) -> Job:
        job: Job = JobFactory.create(team=self.team, **fields)
        return job

    def execution(self, **fields: Any) -> Execution:
        job = fields.pop("job", None) or self.job()
        execution: Execution = ExecutionFactory.create(job=job, **fields)
        return execution


def caller(role: Role = Role.ADMIN) -> Caller:
    """Sign somebody in who has ``role`` in their team."""
    user = UserFactory.create()
    Membership.objects.filter(user=user).update(role=role)
    client = APIClient()
    client.force_authenticate(user)
    return Caller(client, user, user.personal_team)

"""The addresses of executions below ``/api/v1``, those below ``/jobs`` included."""

from __future__ import annotations

from django.urls import re_path

from executions.api.bodies import CancelSerializer, RunAgainSerializer
from executions.api.failures import NothingSerializer, RedriveGroupSerializer
from executions.api.views.dashboard import DashboardView
from executions.api.views.deadletters import DeadLetterViewSet
from executions.api.views.executions import ExecutionViewSet
from executions.api.views.explaining import ExplainInstantViewSet, ExplainViewSet
from executions.api.views.failures import FailureViewSet, RedriveViewSet
from executions.api.views.history import AttemptViewSet, EventViewSet
from executions.api.views.logs import LogViewSet
from executions.api.views.starting import ExecuteViewSet
from executions.api.views.submitting import ExecutionsOfJobViewSet

ONE = r"^executions/(?P<id>[^/]+)"
JOB = r"^jobs/(?P<id>[^/]+)"
DEAD = r"^dead-letters/(?P<id>[^/]+)"
FAILURE = r"^failures/(?P<fingerprint>[^/]+)"
REDRIVE = r"^redrives/(?P<id>[^/]+)"

urlpatterns = [
    re_path(r"^executions/?$", ExecutionViewSet.as_view({"get": "list"}), name="executions"),
    re_path(ONE + r"/?$", ExecutionViewSet.as_view({"get": "retrieve"}), name="execution"),
    re_path(
        ONE + r"/cancel/?$",
        ExecutionViewSet.as_view({"post": "cancel"}, serializer_class=CancelSerializer),
    ),
    re_path(
        ONE + r"/retry/?$",
        ExecutionViewSet.as_view({"post": "retry"}, serializer_class=RunAgainSerializer),
    ),
    re_path(ONE + r"/attempts/?$", AttemptViewSet.as_view({"get": "list"})),
    re_path(ONE + r"/events/?$", EventViewSet.as_view({"get": "list"})),
    re_path(ONE + r"/explain/?$", ExplainViewSet.as_view({"get": "explain"})),
    re_path(ONE + r"/logs/?$", LogViewSet.as_view({"get": "read"})),
    re_path(JOB + r"/execute/?$", ExecuteViewSet.as_view({"post": "execute"})),
    re_path(
        JOB + r"/executions/?$",
        ExecutionsOfJobViewSet.as_view({"get": "list", "post": "submit"}),
    ),
    re_path(JOB + r"/explain/?$", ExplainInstantViewSet.as_view({"get": "explain"})),
    re_path(r"^dead-letters/?$", DeadLetterViewSet.as_view({"get": "list"}), name="dead-letters"),
    re_path(
        DEAD + r"/redrive/?$",
        DeadLetterViewSet.as_view({"post": "redrive"}, serializer_class=RunAgainSerializer),
    ),
    re_path(
        DEAD + r"/resolve/?$",
        DeadLetterViewSet.as_view({"post": "resolve"}, serializer_class=NothingSerializer),
    ),
    re_path(r"^failures/?$", FailureViewSet.as_view({"get": "list"}), name="failures"),
    re_path(FAILURE + r"/?$", FailureViewSet.as_view({"get": "retrieve"})),
    re_path(
        FAILURE + r"/redrive/?$",
        FailureViewSet.as_view({"post": "redrive"}, serializer_class=RedriveGroupSerializer),
    ),
    re_path(
        FAILURE + r"/resolve/?$",
        FailureViewSet.as_view({"post": "resolve"}, serializer_class=NothingSerializer),
    ),
    re_path(REDRIVE + r"/?$", RedriveViewSet.as_view({"get": "retrieve"}), name="redrive"),
    re_path(
        REDRIVE + r"/stop/?$",
        RedriveViewSet.as_view({"post": "stop"}, serializer_class=NothingSerializer),
    ),
    re_path(r"^dashboard/stats/?$", DashboardView.as_view(), name="dashboard-stats"),
]

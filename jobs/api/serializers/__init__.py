"""Jobs and schedules over the wire."""

from __future__ import annotations

from jobs.api.serializers.job import (
    JobFormSerializer,
    JobSerializer,
    WrittenJobSerializer,
)
from jobs.api.serializers.schedule import (
    PreviewedSerializer,
    PreviewSerializer,
    ScheduleSerializer,
)
from jobs.api.serializers.verbs import PauseSerializer, RestoreSerializer, ResumeSerializer

__all__ = [
    "JobFormSerializer",
    "JobSerializer",
    "PauseSerializer",
    "PreviewSerializer",
    "PreviewedSerializer",
    "RestoreSerializer",
    "ResumeSerializer",
    "ScheduleSerializer",
    "WrittenJobSerializer",
]

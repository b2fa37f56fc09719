"""Jobs and schedules over the wire."""

from __future__ import annotations

from jobs.serializers.job import (
    JobFormSerializer,
    JobSerializer,
    WrittenJobSerializer,
)
from jobs.serializers.schedule import (
    PreviewedSerializer,
    PreviewSerializer,
    ScheduleSerializer,
)
from jobs.serializers.verbs import PauseSerializer, RestoreSerializer, ResumeSerializer

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

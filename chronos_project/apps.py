"""The composition root as a Django app: system checks and commands that know every app."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings

from chronos_project import checks  # noqa: F401  registers them
from chronos_project.adoption import adopt
from chronos_project.celery import app as celery_app


class ChronosProjectConfig(AppConfig):
    name = "chronos_project"
    verbose_name = "Chronos"

    def ready(self) -> None:
        celery_app.autodiscover_tasks(force=True)  # web and workers must know the same functions
        adopt(celery_app, settings.CHRONOS_ADOPT_TASKS)

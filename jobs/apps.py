"""The jobs app: what to do, and when."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.utils.module_loading import autodiscover_modules

from lib import egress


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        egress.configure(allow_private=settings.CHRONOS_HTTP_ALLOW_PRIVATE)
        autodiscover_modules("functions")

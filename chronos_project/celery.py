"""The Celery app: how tasks use the database, and when a worker's life begins and ends."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, signals
from celery.fixups.django import DjangoFixup, DjangoWorkerFixup

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chronos_project.settings")


class KeepConnections(DjangoWorkerFixup):  # type: ignore[misc]  # untyped library
    """Keeps connections between tasks, as Django does between requests.

    Celery's own closes them before and after every task, which costs more than the task.
    """

    def close_database(self, **kwargs: Any) -> None:
        from django.db import close_old_connections  # noqa: PLC0415  after django.setup()

        close_old_connections()

    def validate_models(self) -> None:
        """Set Django up. Celery's own runs its checks as well, which load every view of the site
        into beats and workers, and looks at no result; ``migrate`` and ``check`` do.
        """
        self.django_setup()

    def close_cache(self) -> None:
        """No cache is used in workers."""


class Fixup(DjangoFixup):  # type: ignore[misc]  # untyped library
    """Celery's Django fixup, with ``KeepConnections``."""

    _worker_fixup: KeepConnections | None

    @property
    def worker_fixup(self) -> KeepConnections:
        if self._worker_fixup is None:  # not before the app is configured
            self._worker_fixup = KeepConnections(self.app)
        return self._worker_fixup


def fixup(app: Celery) -> Fixup:
    """What Celery calls to install the fixup."""
    installed = Fixup(app)
    installed.install()
    return installed


app = Celery(
    "chronos",
    fixups={"chronos_project.celery:fixup"},
)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.celeryd_after_setup.connect
def set_up_worker(instance: Any, **_: Any) -> None:
    """A worker is about to start: the rest of its life is told there."""
    from chronos_project import worker  # noqa: PLC0415  after django.setup()

    worker.set_up(instance)

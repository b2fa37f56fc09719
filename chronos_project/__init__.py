"""The composition root: the only package that knows every app."""

from __future__ import annotations

from chronos_project.celery import app as celery_app

__all__ = ["celery_app"]

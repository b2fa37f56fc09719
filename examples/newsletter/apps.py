"""The newsletter as a Django app, so that Chronos finds its functions and tasks."""

from __future__ import annotations

from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    name = "examples.newsletter"
    label = "newsletter"

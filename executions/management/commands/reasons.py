"""Write the table of reasons as Markdown: ``manage.py reasons > docs/reasons.md``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from executions import reasons


class Command(BaseCommand):
    help = "Print docs/reasons.md: every reason with its sentence and what to do."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(reasons.document(), ending="")

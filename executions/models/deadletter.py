"""Dead letters: a view of the executions that failed for good and that nobody has resolved."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from executions.models.execution import Execution
from executions.models.execution_queries import ExecutionQuerySet


class DeadLetterManager(models.Manager["DeadLetter"]):
    def get_queryset(self) -> ExecutionQuerySet:  # type: ignore[override]
        return ExecutionQuerySet(self.model, using=self._db).dead()


class DeadLetter(Execution):
    """An execution as an operator's task: redrive it, or call it resolved."""

    objects: ClassVar[DeadLetterManager] = DeadLetterManager()  # type: ignore[assignment]

    class Meta:
        proxy = True

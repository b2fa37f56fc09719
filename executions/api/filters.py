"""What executions can be listed by."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import django_filters
from django.db.models import Q

from executions.models import Execution, Status
from jobs import kinds

if TYPE_CHECKING:
    from executions.models.execution import ExecutionQuerySet

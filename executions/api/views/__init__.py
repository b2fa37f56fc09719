"""The views of executions, by resource."""

from __future__ import annotations

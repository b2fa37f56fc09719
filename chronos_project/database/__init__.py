"""Django's PostgreSQL backend, with an end to every wait: what ``ENGINE`` names."""

from __future__ import annotations

"""Seeded histories of the whole engine, with losses and crashes between any two steps."""

from __future__ import annotations

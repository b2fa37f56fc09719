"""psycopg with our kind of connection, as Django's backend uses it."""

from __future__ import annotations

from psycopg import *  # noqa: F403  all that Django may look for

from chronos_project.database.connection import PatientConnection

connect = PatientConnection.connect

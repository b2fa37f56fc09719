"""The web process: `uvicorn chronos_project.asgi:application`."""

from __future__ import annotations

import os
import re

from django.core.asgi import get_asgi_application

from chronos_project.body_limit import BodyLimit
from chronos_project.handler import Fork, ThreadHandler
from lib import memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chronos_project.settings")
os.environ.setdefault("CHRONOS_DB_PATIENCE_SECONDS", "1.2")  # a 503 within 2
os.environ.setdefault("CHRONOS_BROKER_PATIENCE_SECONDS", "0.5")  # and a 2xx without Redis

AWAITED = re.compile(r"/flower(?:/|\Z)")  # its views are coroutines

application = BodyLimit(Fork(AWAITED, coroutines=get_asgi_application(), threads=ThreadHandler()))
memory.settle()

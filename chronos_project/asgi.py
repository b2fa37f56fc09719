"""The web process: `uvicorn chronos_project.asgi:application`."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from chronos_project.body_limit import BodyLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chronos_project.settings")
os.environ.setdefault("CHRONOS_DB_PATIENCE_SECONDS", "1.2")  # a 503 within 2
os.environ.setdefault("CHRONOS_BROKER_PATIENCE_SECONDS", "0.5")  # and a 2xx without Redis
application = BodyLimit(get_asgi_application(), limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)

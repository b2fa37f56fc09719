"""The web process for servers that speak WSGI."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chronos_project.settings")
os.environ.setdefault("CHRONOS_DB_PATIENCE_SECONDS", "1.2")  # a 503 within 2
os.environ.setdefault("CHRONOS_BROKER_PATIENCE_SECONDS", "0.5")  # and a 2xx without Redis
application = get_wsgi_application()

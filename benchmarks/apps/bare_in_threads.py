"""The bare views, served the way Chronos serves its own: one hand-over to a thread for each."""

from __future__ import annotations

from benchmarks.apps import bare
from chronos_project.handler import ThreadHandler

urlpatterns = bare.urlpatterns
application = ThreadHandler()

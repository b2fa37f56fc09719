"""The bare limit of an API that makes one row: Django REST framework, and plain Django."""

from __future__ import annotations

import json
import os
from typing import Any, ClassVar

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.apps.settings")
if not apps.ready:
    django.setup()

from django.core.handlers.asgi import ASGIHandler
from django.db import connection, models
from django.http import HttpRequest, JsonResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.generics import CreateAPIView


class Row(models.Model):
    name = models.CharField(max_length=100)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Row]] = models.Manager()

    class Meta:
        app_label = "contenttypes"
        db_table = "bare_row"

    def __str__(self) -> str:
        return self.name


class RowSerializer(serializers.ModelSerializer[Row]):
    class Meta:
        model = Row
        fields = ["id", "name", "payload", "created_at"]


class RowView(CreateAPIView[Row]):
    queryset = Row.objects.all()
    serializer_class = RowSerializer
    authentication_classes = []
    permission_classes = []


def plain(request: HttpRequest) -> JsonResponse:
    told = json.loads(request.body)
    row = Row.objects.create(name=told["name"], payload=told["payload"])
    return JsonResponse({"id": row.pk, "name": row.name}, status=201)


def start() -> None:
    """Make the table; this module is also what the client loads."""
    with connection.schema_editor() as editor:
        editor.create_model(Row)


def requests() -> dict[str, Any]:
    body = {"name": "nightly report", "payload": {"to": "ops", "n": 17}}
    return {"one": {"method": "POST", "path": os.environ["BENCH_VIEW"], "body": body}}


urlpatterns = [path("plain", plain), path("drf", RowView.as_view())]
application = ASGIHandler()

"""A view that raises whatever a test wants to see answered."""

from __future__ import annotations

from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView


def answer_of(raise_it: Any, method: str = "POST", **headers: str) -> Any:
    """Return what a view answers that calls ``raise_it``, or raises it."""

    class View(APIView):
        authentication_classes = []
        permission_classes = []
        renderer_classes = [JSONRenderer, BrowsableAPIRenderer]

        def post(self, request: Any) -> Response:
            if isinstance(raise_it, Exception):
                raise raise_it
            return Response(raise_it())

        get = post

    request = APIRequestFactory().generic(method, "/api/v1/things", headers=headers)
    return View.as_view()(request).render()


def body_of(raise_it: Any, method: str = "POST") -> dict[str, Any]:
    return dict(answer_of(raise_it, method).data)


def errors_of(exc: Exception, method: str = "POST") -> list[dict[str, Any]]:
    return list(body_of(exc, method)["errors"])

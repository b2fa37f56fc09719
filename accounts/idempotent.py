"""The ``Idempotency-Key`` of a request, for every view that takes a POST."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from accounts import idempotency
from accounts.access import TEAM_HEADER
from accounts.idempotency import Call
from lib.faults import HeaderError, fault

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LONGEST = 255  # characters
BAD, OUR_FAULT = 400, 500
_MADE_ANEW = frozenset({"Allow", "Content-Length", "Content-Type", "Vary"})  # headers of an answer


class IdempotentPosts:
    """Mixin for views, the first of their bases: repeating a POST with its key has no effect.

    A call with a key is one transaction. Answers below 400 are kept. Of the others nothing is:
    what was refused may be sent again with the same key, also when it was mended; after a fault of
    ours (5xx) everything is undone first. The right to do it is asked for before a kept answer
    is given, so whoever lost the right loses the answer as well.
    """

    _call: Call | None = None  # that has to be kept

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not _is_keyed(request):
            return super().dispatch(request, *args, **kwargs)  # type: ignore[misc,no-any-return]
        with transaction.atomic():
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
            if response.status_code >= OUR_FAULT:
                transaction.set_rollback(True)
            elif self._call and response.status_code < BAD and isinstance(response, Response):
                idempotency.keep(self._call, _written(response), timezone.now())
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]  # of the APIView
        if not _is_keyed(request):
            return
        call = _call_of(request)
        answer = idempotency.begin(call, timezone.now())
        if answer is None:
            self._call = call
        else:
            self.post = lambda *_args, **_kwargs: _read(answer)  # instead of doing it again


def _is_keyed(request: HttpRequest | Request) -> bool:
    return request.method == "POST" and HEADER in request.headers


def _call_of(request: Request) -> Call:
    asked = [sorted(request.query_params.lists()), request.data]
    return Call(
        actor=_actor(request),
        route=request.path.rstrip("/"),
        key=_key(request),
        asked=json.dumps(asked, sort_keys=True),
    )


def _actor(request: Request) -> str:
    """Before somebody has signed in, their address is all that is known of them.

    In another team, or with another API key, somebody is another actor.
    """
    if request.user.is_authenticated:
        key = getattr(request.auth, "prefix", "")
        return f"user {request.user.pk} {key}{request.headers.get(TEAM_HEADER, '')}".rstrip()
    return f"address {request.META.get('REMOTE_ADDR')}"


def _key(request: Request) -> str:
    key = request.headers[HEADER]
    if not 0 < len(key) <= LONGEST or not (key.isascii() and key.isprintable()):
        message = f"This must be 1 to {LONGEST} printable ASCII characters."
        words = fault(message, "idempotency_key_invalid", "Send a new UUID with each new request.")
        raise HeaderError({HEADER: [words]})
    return key


def _written(response: Response) -> str:
    headers = {name: value for name, value in response.headers.items() if name not in _MADE_ANEW}
    return json.dumps([response.status_code, headers, response.data], cls=JSONEncoder)


def _read(answer: str) -> Response:
    status, headers, data = json.loads(answer)
    return Response(data, status=status, headers={**headers, REPLAYED: "true"})

"""Endpoints of API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from accounts import api_keys
from accounts.access import membership_of, user_of, verbs_of
from accounts.api.schema import documented_keys
from accounts.api.team_serializers import ApiKeySerializer, MadeApiKeySerializer
from accounts.api.views import SECRET
from accounts.idempotent import IdempotentPosts
from accounts.models import ApiKey, Membership
from accounts.roles import Verb
from lib.faults import fault
from lib.filters import StrictParameters
from lib.paths import id_of

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request


@documented_keys
class ApiKeyViewSet(
    IdempotentPosts, StrictParameters, ListModelMixin, RetrieveModelMixin, GenericViewSet[ApiKey]
):
    """Keys of the caller in the team; those of everybody there for who may manage it."""

    queryset = ApiKey.objects.all()
    serializer_class = ApiKeySerializer
    verbs = {"create": Verb.VIEW, "destroy": Verb.VIEW}  # of one's own; nobody gets more by it

    def get_queryset(self) -> QuerySet[ApiKey]:
        keys = ApiKey.objects.filter(team=membership_of(self.request).team_id, revoked_at=None)
        if Verb.MANAGE not in verbs_of(self.request):
            keys = keys.filter(user=user_of(self.request))
        return keys.order_by("-pk")

    def get_object(self) -> ApiKey:
        return get_object_or_404(self.get_queryset(), pk=id_of(self.kwargs["id"]))

    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        body, now = serializer.validated_data, timezone.now()
        if body["expires_at"] is not None and body["expires_at"] <= now:
            words = fault("This is not in the future.", "instant_past")
            raise ValidationError({"expires_at": [words]})
        try:
            made = api_keys.create(
                self._membership(body.get("user_id")),
                name=body["name"],
                scopes=body["scopes"],
                grantable=verbs_of(request),
                created_by=user_of(request),
                expires_at=body["expires_at"],
                now=now,
            )
        except api_keys.ScopeTooWideError as exc:
            raise ValidationError({"scopes": [fault(str(exc), "scope_too_wide")]}) from exc
        where = reverse("api-key", args=[made[0].pk], request=request)
        headers = {"Location": where, **SECRET}
        return Response(MadeApiKeySerializer(made).data, status=201, headers=headers)

    def destroy(self, request: Request, **_kwargs: Any) -> Response:
        api_keys.revoke(self.get_object(), actor=user_of(request), now=timezone.now())
        return Response(status=204)

    def _membership(self, user_id: Any) -> Membership:
        """Return as whom the key acts. Raises ``ValidationError`` for anybody but the caller and,
        for who may manage the team, its service accounts."""
        own = membership_of(self.request)
        if user_id in (None, own.user_id):
            return own
        others = Membership.objects.filter(Q(user__service_of=own.team_id), team=own.team_id)
        found = others.filter(user=user_id).select_related("user", "team").first()
        if found is None or Verb.MANAGE not in verbs_of(self.request):
            words = fault("This is neither you nor a service account of yours.", "user_unknown")
            raise ValidationError({"user": [words]})
        return found

"""Endpoints of teams: who belongs to them, who is asked to join, and what acts for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts import teams
from accounts.access import act_in, membership_of, user_of
from accounts.api.schema import (
    documented_accept,
    documented_invitations,
    documented_members,
    documented_services,
    documented_teams,
)
from accounts.api.team_serializers import (
    AcceptSerializer,
    InvitationSerializer,
    MadeInvitationSerializer,
    MemberSerializer,
    ServiceAccountSerializer,
    TeamSerializer,
)
from accounts.api.views import SECRET
from accounts.idempotent import IdempotentPosts
from accounts.models import ApiKey, Invitation, Membership
from accounts.roles import Role, Verb
from lib.faults import fault
from lib.filters import StrictParameters
from lib.paths import id_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from rest_framework.request import Request


class OfTeam(IdempotentPosts, StrictParameters):
    """Mixin for view sets below one team: the request acts there, whatever else it names."""

    team_kwarg = "team"
    verbs = {
        "create": Verb.MANAGE,
        "partial_update": Verb.MANAGE,
        "destroy": Verb.MANAGE,
    }

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if self.team_kwarg in kwargs and request.user.is_authenticated:
            act_in(request, id_of(kwargs[self.team_kwarg]))
        super().initial(request, *args, **kwargs)

    def checked(self, request: Request, **options: Any) -> dict[str, Any]:
        serializer = self.get_serializer(data=request.data, **options)  # type: ignore[attr-defined]
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


@documented_teams
class TeamViewSet(OfTeam, ListModelMixin, GenericViewSet[Membership]):
    """The caller's teams."""

    queryset = Membership.objects.all()
    serializer_class = TeamSerializer
    lookup_url_kwarg = "team"
    verbs = {"partial_update": Verb.MANAGE, "destroy": Verb.MANAGE}

    def get_permissions(self) -> Sequence[Any]:
        if self.action in ("list", "create"):  # which concern no team that there is
            return [IsAuthenticated()]
        return super().get_permissions()

    def get_queryset(self) -> QuerySet[Membership]:
        mine = Membership.objects.filter(user=user_of(self.request)).select_related("team")
        if isinstance(self.request.auth, ApiKey):
            mine = mine.filter(team=self.request.auth.team_id)
        return mine.order_by("team__name", "team_id")

    def create(self, request: Request) -> Response:
        team = teams.create(self.checked(request)["name"], founder=_person_of(request))
        return Response(TeamSerializer(self.get_queryset().get(team=team)).data, status=201)

    def retrieve(self, request: Request, **_kwargs: Any) -> Response:
        return Response(TeamSerializer(membership_of(request)).data)

    def partial_update(self, request: Request, **_kwargs: Any) -> Response:
        membership, changes = membership_of(request), self.checked(request, partial=True)
        if "name" in changes:
            teams.rename(membership.team, changes["name"], actor=user_of(request))
        return Response(TeamSerializer(membership).data)

    def destroy(self, request: Request, **_kwargs: Any) -> Response:
        teams.delete(membership_of(request).team, actor=user_of(request))
        return Response(status=204)


@documented_members
class MemberViewSet(OfTeam, ListModelMixin, RetrieveModelMixin, GenericViewSet[Membership]):
    """Who belongs to a team."""

    queryset = Membership.objects.all()
    serializer_class = MemberSerializer

    def get_queryset(self) -> QuerySet[Membership]:
        members = Membership.objects.filter(team=membership_of(self.request).team_id)
        return members.select_related("user", "team").order_by("joined_at", "pk")

    def get_object(self) -> Membership:
        return get_object_or_404(self.get_queryset(), user_id=id_of(self.kwargs["user"]))

    def partial_update(self, request: Request, **_kwargs: Any) -> Response:
        membership = self.get_object()
        changes = self.checked(request, partial=True)
        if "role" in changes:
            teams.change_role(membership, Role(changes["role"]), actor=user_of(request))
        return Response(MemberSerializer(membership).data)

    def destroy(self, request: Request, **_kwargs: Any) -> Response:
        teams.remove(self.get_object(), actor=user_of(request), now=timezone.now())
        return Response(status=204)


@documented_services
class ServiceAccountViewSet(MemberViewSet):
    """The accounts of a team that act for programs."""

    serializer_class = ServiceAccountSerializer

    def get_queryset(self) -> QuerySet[Membership]:
        return super().get_queryset().filter(user__service_of__isnull=False)

    def create(self, request: Request, **_kwargs: Any) -> Response:
        body, team = self.checked(request), membership_of(request).team
        membership = teams.add_service(team, body["name"], body["role"], actor=user_of(request))
        return Response(ServiceAccountSerializer(membership).data, status=201)


@documented_invitations
class InvitationViewSet(OfTeam, ListModelMixin, GenericViewSet[Invitation]):
    """Offers to join a team that were not taken up yet."""

    queryset = Invitation.objects.all()
    serializer_class = InvitationSerializer
    verbs = {"list": Verb.MANAGE, "create": Verb.MANAGE, "destroy": Verb.MANAGE}

    def get_queryset(self) -> QuerySet[Invitation]:
        offers = Invitation.objects.filter(team=membership_of(self.request).team_id)
        return offers.open(timezone.now()).order_by("-pk")

    def create(self, request: Request, **_kwargs: Any) -> Response:
        body, team = self.checked(request), membership_of(request).team
        made = teams.invite(
            team,
            body["email"],
            Role(body["role"]),
            actor=user_of(request),
            now=timezone.now(),
        )
        return Response(MadeInvitationSerializer(made).data, status=201, headers=SECRET)

    def destroy(self, request: Request, **kwargs: Any) -> Response:
        offer = get_object_or_404(self.get_queryset(), pk=id_of(kwargs["id"]))
        teams.withdraw(offer, actor=user_of(request), now=timezone.now())
        return Response(status=204)


class AcceptView(IdempotentPosts, StrictParameters, GenericAPIView[Invitation]):
    """Taking up an offer."""

    serializer_class = AcceptSerializer
    permission_classes = [IsAuthenticated]

    @documented_accept
    def post(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        token, now = serializer.validated_data["token"], timezone.now()
        try:
            membership = teams.accept(token, user=_person_of(request), now=now)
        except teams.BadInvitationError as exc:
            raise ValidationError({"token": [fault(str(exc), "invitation_invalid")]}) from exc
        return Response(TeamSerializer(membership).data)


def _person_of(request: Request) -> Any:
    """Return the user. Raises ``Http404`` for a program: teams are founded and joined by people."""
    if isinstance(request.auth, ApiKey):
        raise Http404
    return user_of(request)

"""By what requests prove who sends them: token families of people, keys of programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models.people import Membership, Team, User
from lib.ids import new_id

if TYPE_CHECKING:
    from datetime import datetime


class TokenFamilyQuerySet(models.QuerySet["TokenFamily"]):
    def live(self, now: datetime) -> TokenFamilyQuerySet:
        """Families that are neither revoked nor past their end."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=now)


class TokenFamily(models.Model):
    """One sign-in over the API: all refresh tokens that follow from it. Only the newest is good."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="token_families")
    current_jti = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=32, blank=True)

    membership: Membership | None  # of its user, where ``bearers`` has looked

    objects: ClassVar[models.Manager[TokenFamily]] = TokenFamilyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "token families"

    def __str__(self) -> str:
        return f"sign-in of {self.user} at {self.created_at:%Y-%m-%d %H:%M}"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self, now: datetime) -> ApiKeyQuerySet:
        """Keys that are neither revoked nor past their end."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class ApiKey(models.Model):
    """A secret by which a program acts in one team, as ``user``, and may no more than ``scopes``.

    The secret itself is kept nowhere; ``prefix`` finds the row, ``digest`` proves the rest.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="api_keys")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=150)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=16))
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[ApiKeyQuerySet] = ApiKeyQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

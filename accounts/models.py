"""People, their teams, the token families of their sign-ins, and the answers kept for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db import models, transaction
from django.db.models.functions import Lower

from accounts.roles import Role
from lib.ids import new_id

if TYPE_CHECKING:
    from datetime import datetime


class UserManager(DjangoUserManager["User"]):
    """Creates users together with the personal team that owns their jobs."""

    def _create_user(self, email: str, password: str | None, **fields: Any) -> User:
        if not email:
            raise ValueError("email: an e-mail address is needed")
        with transaction.atomic(using=self.db):
            user = self.model(email=email, **fields)
            user.set_password(password)
            user.save(using=self.db)
            Team.objects.create_personal(user)
        return user

    def create_user(  # type: ignore[override]  # people sign in with their e-mail address
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        return self._create_user(email, password, **fields)

    def create_superuser(  # type: ignore[override]
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        return self._create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractUser):
    """A person; signs in with an e-mail address, upper or lower case."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = None  # type: ignore[assignment]  # the e-mail address is it
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", max_length=254, unique=True)
    name = models.CharField(max_length=150, blank=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["email"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="email_is_lower_case"
            )
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.lower()
        super().save(*args, **kwargs)

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email


class TeamManager(models.Manager["Team"]):
    def create_personal(self, user: User) -> Team:
        """Create the team that ``user`` alone owns at first."""
        name = user.get_full_name()[:150]  # an address may be longer
        team = self.create(name=name, personal_of=user)
        Membership.objects.create(team=team, user=user, role=Role.ADMIN)
        return team


class Team(models.Model):
    """Owns jobs and everything that comes of them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=150)
    personal_of = models.OneToOneField(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="personal_team"
    )
    members = models.ManyToManyField(User, through="Membership", related_name="teams")
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[TeamManager] = TeamManager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user's role in a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=[(role.value, role.value) for role in Role])
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "user"], name="one_membership_per_team_and_user"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]),
                name="membership_role_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} in {self.team}"


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


class KeptAnswer(models.Model):
    """What a POST with an ``Idempotency-Key`` was answered; ``accounts.idempotency`` writes it."""

    id = models.CharField(primary_key=True, max_length=64, editable=False)
    """Stands for actor, route and key."""
    request = models.CharField(max_length=64)
    """Stands for what was asked."""
    answer = models.BinaryField()
    """Sealed with the request: whoever reads the table learns no token from it."""
    created_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"answer of {self.created_at:%Y-%m-%d %H:%M}"

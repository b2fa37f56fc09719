"""People, the service accounts that act for programs, and the teams of both."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db import models, transaction
from django.db.models.functions import Lower

from accounts.roles import Role
from lib.ids import new_id

SERVICE_HOST = "service.invalid"  # RFC 2606: no mail ever leads there


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

    def create_service(self, team: Team, name: str) -> User:
        """Create an account that acts for a program of ``team``, by API keys and nothing else."""
        pk = new_id()
        user = self.model(id=pk, email=f"{pk}@{SERVICE_HOST}", name=name, service_of=team)
        user.set_unusable_password()
        user.save(using=self.db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractUser):
    """A person, who signs in with an e-mail address, upper or lower case; or a service account of
    a team, which never signs in and acts by API keys."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = None  # type: ignore[assignment]  # the e-mail address is it
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", max_length=254, unique=True)
    name = models.CharField(max_length=150, blank=True)
    service_of = models.ForeignKey(
        "Team", on_delete=models.CASCADE, null=True, blank=True, related_name="service_accounts"
    )

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

    @property
    def is_service(self) -> bool:
        return self.service_of_id is not None

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

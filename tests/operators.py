"""Operators at the admin: who signs in, what they press, what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages

from accounts.models import Membership, User
from tests.factories import MembershipFactory, UserFactory

if TYPE_CHECKING:
    from django.test import Client

    from accounts.roles import Role


def boss(client: Client) -> User:
    """Sign a superuser in."""
    user = UserFactory.create(is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


def staff(client: Client, role: Role, *rights: str) -> Membership:
    """Sign in somebody with Django's ``rights`` who is no superuser and has ``role`` in a team."""
    membership = MembershipFactory.create(role=role, user=UserFactory.create(is_staff=True))
    membership.user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(membership.user)
    return membership


def act(client: Client, where: str, action: str, *rows: Any, **sent: str) -> Any:
    """Tick ``rows`` on the list at ``where`` and run ``action``."""
    ticked = [str(row.pk) for row in rows]
    return client.post(where, {"action": action, "_selected_action": ticked, "index": "0"} | sent)


def told(response: Any) -> list[str]:
    """The messages that came of a request."""
    return [str(message) for message in get_messages(response.wsgi_request)]

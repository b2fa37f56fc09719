"""Which role a request needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission

from accounts.access import membership_of, verbs_of
from accounts.models import ApiKey
from accounts.roles import Verb, allows

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class RolePermission(BasePermission):
    """The user's role in the team must allow the verb of the action.

    A view names verbs by action or method (``verbs = {"execute": Verb.OPERATE}``); what it does
    not name is VIEW for safe methods and EDIT for all others.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            return False  # which DRF answers with 401
        verb = verb_of(request, view)
        if verb in verbs_of(request):
            return True
        role = membership_of(request).role
        if isinstance(request.auth, ApiKey) and allows(role, verb):
            words = f"The API key does not have the scope {verb}."
            raise PermissionDenied(words, code="scope_missing")
        raise PermissionDenied(
            f"Your role is {role}; it does not include the right to {verb}.", code="role_too_low"
        )


def verb_of(request: Request, view: Any) -> Verb:
    """Return what ``request`` wants to do."""
    method = request.method or ""
    action = getattr(view, "action", None) or method.lower()
    default = Verb.VIEW if method in SAFE_METHODS else Verb.EDIT
    verb: Verb = getattr(view, "verbs", {}).get(action, default)
    return verb

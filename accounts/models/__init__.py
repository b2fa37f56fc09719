"""People, their teams, how they prove who they are, and the answers kept for them."""

from __future__ import annotations

from accounts.models.invitations import Invitation
from accounts.models.kept_answers import KeptAnswer
from accounts.models.people import Membership, Team, User, UserManager
from accounts.models.sign_ins import ApiKey, TokenFamily

__all__ = [
    "ApiKey",
    "Invitation",
    "KeptAnswer",
    "Membership",
    "Team",
    "TokenFamily",
    "User",
    "UserManager",
]

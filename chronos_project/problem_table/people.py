"""Who may not do something, or not now."""

from __future__ import annotations

from chronos_project.problem_table.row import Problem

PEOPLE = (
    Problem(
        "not_authenticated",
        "Not signed in",
        "The address needs to know who you are.",
        "GET /api/v1/jobs without an Authorization header",
        "POST /api/v1/auth/login, then send Authorization: Bearer with the access token.",
    ),
    Problem(
        "token_invalid authentication_failed",
        "The token is not good",
        "It has expired, was signed out, was refreshed already, or was never good. Which of these"
        " is not told.",
        "Authorization: Bearer eyJ…",
        "Refresh with the newest refresh token, or sign in again.",
    ),
    Problem(
        "credentials_invalid",
        "Sign-in failed",
        "The e-mail address or the password is wrong, or the account is switched off.",
        '{"email": "ada@example.org", "password": "wrong"}',
        "Check both. An administrator can set a new password.",
    ),
    Problem(
        "registration_closed",
        "Registration is closed",
        "Here, administrators make the accounts.",
        "POST /api/v1/auth/register",
        "Ask an administrator, or set CHRONOS_REGISTRATION=open if you are one.",
    ),
    Problem(
        "email_taken password_too_short password_too_common password_entirely_numeric"
        " password_too_similar",
        "This account cannot be made",
        "There is an account with this address, or the password is too easy to guess.",
        '{"email": "ada@example.org", "password": "password"}',
        "Sign in instead, or choose a longer password.",
    ),
    Problem(
        "permission_denied role_too_low scope_missing no_team",
        "Not allowed",
        "You are signed in, but your role in the team, or the scopes of the API key, do not include"
        " this.",
        "A viewer who wants to run a job",
        "Ask an administrator of the team for a higher role, or make a key with the scope.",
    ),
    Problem(
        "throttled",
        "Too many requests",
        "You sent more requests than the limit allows.",
        "The 11th wrong password in a quarter of an hour",
        "Wait as long as Retry-After says.",
    ),
)

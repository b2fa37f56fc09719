"""The first administrator, and on request a demo: what a fresh installation needs to be used."""

from __future__ import annotations

import json
from typing import Any

import environ
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from accounts.models import User
from executions import clock, demo


class Command(BaseCommand):
    """Repeating it changes nothing."""

    help = (
        "Create the first administrator from CHRONOS_ADMIN_EMAIL and CHRONOS_ADMIN_PASSWORD, "
        "unless there is one. Prints one line of JSON: admin_created, email, demo_jobs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="make a few telling jobs, once")

    def handle(self, *args: Any, **options: Any) -> None:
        admin = User.objects.filter(is_superuser=True).order_by("date_joined").first()
        created = admin is None
        admin = admin or first_admin()
        jobs = demo.seed(admin, now=clock.now()) if options["demo"] else 0
        told = {"admin_created": created, "email": admin.email, "demo_jobs": jobs}
        self.stdout.write(json.dumps(told))


def first_admin() -> User:
    """Create the administrator. Raises ``CommandError`` that names the variable to set."""
    env = environ.Env()
    email = env.str("CHRONOS_ADMIN_EMAIL", default="").strip().lower()
    password = env.str("CHRONOS_ADMIN_PASSWORD", default="")
    try:
        validate_email(email)
    except ValidationError:
        raise CommandError(f"CHRONOS_ADMIN_EMAIL is {email!r}: give an e-mail address.") from None
    try:
        validate_password(password, User(email=email))
    except ValidationError as exc:
        raise CommandError(f"CHRONOS_ADMIN_PASSWORD: {' '.join(exc.messages)}") from None
    user = User.objects.filter(email=email).first()
    if user is not None:
        raise CommandError(f"CHRONOS_ADMIN_EMAIL: {email} is a user already, but no administrator.")
    return User.objects.create_superuser(email, password)

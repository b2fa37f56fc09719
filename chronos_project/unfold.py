"""The settings of the admin's theme: names, colours, and the sidebar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.templatetags.static import static
from django.urls import reverse_lazy

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest


def _file(path: str) -> Callable[[HttpRequest], str]:
    return lambda request: static(path)


def _may_view(model: str) -> Callable[[HttpRequest], bool]:
    """``model`` as ``app_label.model_name``."""
    app, _, name = model.partition(".")
    rights = (f"{app}.view_{name}", f"{app}.change_{name}")
    return lambda request: any(request.user.has_perm(right) for right in rights)


def _list(title: str, model: str, icon: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model.replace('.', '_')}_changelist"),
        "permission": _may_view(model),
    }


def _link(title: str, url: str, icon: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": url}


WORK = [
    {"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")},
    _list("Jobs", "jobs.job", "work"),
    _list("Schedules", "jobs.schedule", "calendar_clock"),
    _list("Executions", "executions.execution", "play_circle"),
    _list("Dead letters", "executions.deadletter", "skull"),
]
FLEET = [
    _list("Queues", "executions.queue", "low_priority"),
    _list("Limits", "jobs.limit", "speed"),
    _list("Workers", "executions.worker", "precision_manufacturing"),
    _list("Beats", "executions.beat", "timer"),
]
PEOPLE = [
    _list("Users", "accounts.user", "person"),
    _list("Teams", "accounts.team", "groups"),
    _list("Memberships", "accounts.membership", "badge"),
    _list("Groups", "auth.group", "shield_person"),
]
PLATFORM = [
    _list("Periodic tasks", "django_celery_beat.periodictask", "repeat"),
    _list("Intervals", "django_celery_beat.intervalschedule", "hourglass"),
    _list("Crontabs", "django_celery_beat.crontabschedule", "schedule"),
    _list("Clocked", "django_celery_beat.clockedschedule", "alarm"),
    _list("Solar", "django_celery_beat.solarschedule", "light_mode"),
    _list("Task results", "django_celery_results.taskresult", "task_alt"),
    _list("Group results", "django_celery_results.groupresult", "account_tree"),
]
ELSEWHERE = [
    _link("Flower", "/flower/", "local_florist"),
    _link("API", "/api/v1/", "api"),
    _link("API docs", "/api/docs", "menu_book"),
    _link("Health", "/health", "monitor_heart"),
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Chronos",
    "SITE_HEADER": "Chronos",
    "SITE_SUBHEADER": "Background work you can trust",
    "SITE_SYMBOL": "schedule",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "chronos_project.overview.context",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": _file("chronos/icon.svg")},
    ],
    "STYLES": [_file("chronos/console.css")],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .014 240)",
            "100": "oklch(94.5% .03 240)",
            "200": "oklch(89% .06 240)",
            "300": "oklch(81% .1 240)",
            "400": "oklch(72% .14 242)",
            "500": "oklch(63% .16 245)",
            "600": "oklch(52% .16 250)",
            "700": "oklch(46% .145 252)",
            "800": "oklch(40% .12 253)",
            "900": "oklch(34% .1 254)",
            "950": "oklch(25% .08 255)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "command_search": False,
        "show_all_applications": False,
        "navigation": [
            {"title": "Work", "items": WORK},
            {"title": "Fleet", "separator": True, "items": FLEET},
            {"title": "People", "separator": True, "collapsible": True, "items": PEOPLE},
            {"title": "Platform", "separator": True, "collapsible": True, "items": PLATFORM},
            {"title": "Elsewhere", "separator": True, "items": ELSEWHERE},
        ],
    },
}

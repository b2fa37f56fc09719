"""People and what they belong to, for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.models import Membership, Team, User
from accounts.theme import ChronosAdmin, ChronosInline

if TYPE_CHECKING:
    from django.http import HttpRequest

admin.site.unregister(Group)


class PeopleAdmin(ChronosAdmin):
    """Whoever changes people, teams or groups hands out rights: superusers, nobody else."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


class AddUserForm(UserCreationForm):  # type: ignore[misc]  # untyped library
    """An e-mail address and a password are all that a new person needs."""

    class Meta:
        model = User
        fields = ("email", "name")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class ChangeUserForm(UserChangeForm):  # type: ignore[misc]  # untyped library
    class Meta:
        model = User
        fields = "__all__"

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class MembershipOfUserInline(ChronosInline):
    model = Membership
    autocomplete_fields = ["team"]
    fields = ["team", "role"]


class MembershipInline(ChronosInline):
    model = Membership
    autocomplete_fields = ["user"]
    fields = ["user", "role"]


@admin.register(User)
class UserAdmin(PeopleAdmin, DjangoUserAdmin):  # type: ignore[type-arg]  # none at run time
    """People sign in with their e-mail address."""

    form = ChangeUserForm
    add_form = AddUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["email", "name", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    autocomplete_fields = ["groups"]
    readonly_fields = ["last_login", "date_joined"]
    inlines = [MembershipOfUserInline]
    fieldsets = [
        (None, {"fields": ["email", "name", "password"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "password1", "password2"]})]

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        return [*self.inlines] if obj else []

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            Team.objects.create_personal(obj)


@admin.register(Group)
class GroupAdmin(PeopleAdmin, DjangoGroupAdmin):
    """Bundles of Django's permissions, for staff who are no superusers."""


@admin.register(Team)
class TeamAdmin(PeopleAdmin):
    team_path = "pk"
    list_display = ["name", "personal_of", "created_at"]
    list_select_related = ["personal_of"]
    search_fields = ["name", "personal_of__email"]
    autocomplete_fields = ["personal_of"]
    readonly_fields = ["created_at"]
    inlines = [MembershipInline]


@admin.register(Membership)
class MembershipAdmin(PeopleAdmin):
    team_path = "team"
    list_display = ["user", "team", "role", "joined_at"]
    list_filter = ["role"]
    list_select_related = ["user", "team"]
    search_fields = ["user__email", "team__name"]
    autocomplete_fields = ["user", "team"]

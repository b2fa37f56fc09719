"""What every admin class of ours derives from, so that the theme is chosen in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import ShowFacets
from django.contrib.admin.options import BaseModelAdmin
from unfold.admin import ModelAdmin, TabularInline

from accounts.long_lists import CappedChangeList, CappedPaginator
from accounts.row_actions import RowActions
from accounts.widgets import Autocomplete

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList
    from django.db.models import ForeignKey
    from django.forms import ModelChoiceField
    from django.http import HttpRequest


class Autocompletes(BaseModelAdmin[Any]):
    """Related rows are found while one types, never listed in full."""

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        if db_field.name in self.get_autocomplete_fields(request):
            found = Autocomplete(db_field, self.admin_site, using=kwargs.get("using"))
            kwargs.setdefault("widget", found)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class ChronosAdmin(Autocompletes, RowActions, ModelAdmin):  # type: ignore[misc]  # untyped library
    """The base of every admin class of ours."""

    when_empty: ClassVar[str] = "Nothing here yet."
    list_defer: ClassVar[tuple[str, ...]] = ()  # columns that the list does not show
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # they count the whole table
    list_per_page = 50
    list_fullwidth = True
    list_disable_select_all = True
    warn_unsaved_form = True
    change_form_outer_before_template = "admin/page_actions.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CappedChangeList


class WindowAdmin(ChronosAdmin):
    """For rows that operators look at and act on, but never edit."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ChronosInline(Autocompletes, TabularInline):  # type: ignore[misc]  # untyped library
    """Rows that belong to the row of the page."""

    extra = 0


class WindowInline(ChronosInline):
    """Rows that belong to the row of the page, to look at."""

    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

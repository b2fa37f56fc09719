"""Query strings without surprises: a parameter that nobody reads is a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django_filters.rest_framework import DjangoFilterBackend

from lib.faults import ParameterError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rest_framework.request import Request

ALWAYS_KNOWN = frozenset({"format"})  # DRF's choice of the renderer


def check_parameters(request: Request, known: Iterable[str]) -> None:
    """Raise ``ParameterError`` for every query parameter that is not in ``known``."""
    known = frozenset(known)
    names = [name for name in request.query_params if name not in known | ALWAYS_KNOWN]
    if names:
        faults = unknown(names, known, what="parameter")
        raise ParameterError({name: [detail] for name, detail in faults.items()})


class StrictParameters:
    """Mixin for views: before anything else, refuse query parameters that the view does not read.

    ``parameters`` names those of the view's own, by action (``{"logs": ["after"]}``) or for all
    of its actions. A list also knows those of its filters and of its pages.
    """

    parameters: ClassVar[Iterable[str] | dict[str, Iterable[str]]] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]  # of the APIView
        check_parameters(request, self.known_parameters(request))

    def known_parameters(self, request: Request) -> set[str]:
        action = getattr(self, "action", None) or (request.method or "").lower()
        own = self.parameters
        known = set(own.get(action, ()) if isinstance(own, dict) else own)
        return known | _of_list(self) if action == "list" else known


class StrictFilterBackend(DjangoFilterBackend):
    """The filters of a list; their faults are those of parameters.

    DRF asks its filters also when one object is looked up; there they do not apply.
    """

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        if view.kwargs.get(getattr(view, "lookup_url_kwarg", None) or view.lookup_field):
            return queryset
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise ParameterError(
                {
                    name: [(error.message % (error.params or {})) for error in errors]
                    for name, errors in filterset.errors.as_data().items()
                }
            )
        return filterset.qs


def _of_list(view: Any) -> set[str]:
    names: set[str] = set()
    filterset_class = getattr(view, "filterset_class", None)
    if filterset_class is not None:
        names |= set(filterset_class.get_filters())
    paginator = getattr(view, "paginator", None)
    return names | set(getattr(paginator, "parameters", ()))

"""Query strings without surprises: a parameter that nobody reads is a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.fields import get_error_detail

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


def known_parameters(view: Any, request: Request) -> set[str]:
    """Return the query parameters that ``view`` reads in this request.

    ``view.parameters`` names its own, by action (``{"logs": ["after"]}``) or for all of its
    actions. A list also has those of its filters and of its pages.
    """
    action = getattr(view, "action", None) or (request.method or "").lower()
    own = getattr(view, "parameters", ())
    known = set(own.get(action, ()) if isinstance(own, dict) else own)
    if action == "list":
        known |= set(getattr(getattr(view, "paginator", None), "parameters", ()))
        filterset_class = getattr(view, "filterset_class", None)
        known |= set(filterset_class.get_filters()) if filterset_class else set()
    return known


class StrictParameters:
    """Mixin for views: refuses query parameters that the view does not read, on every method."""

    parameters: ClassVar[Iterable[str] | dict[str, Iterable[str]]] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]  # of the APIView
        check_parameters(request, known_parameters(self, request))


class StrictFilterBackend(DjangoFilterBackend):
    """The filters of a list; what is wrong with them is said of parameters.

    The view keeps them as ``filterset``, for its pages. DRF asks its filters also when one object
    is looked up; there they do not apply.
    """

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        if getattr(view, "action", None) != "list":
            return queryset
        check_parameters(request, known_parameters(view, request))
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise ParameterError(
                {
                    name: [detail for error in errors for detail in get_error_detail(error)]
                    for name, errors in filterset.form.errors.as_data().items()
                }
            )
        view.filterset = filterset
        return filterset.qs

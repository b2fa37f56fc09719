"""The numbers of the dashboard."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import team_of
from executions import clock, stats
from executions.api.serializers import DashboardSerializer
from lib.filters import StrictParameters


class DashboardView(StrictParameters, APIView):
    """What happens now, how the last 24 hours went, and whether anything is wrong."""

    @extend_schema(tags=["dashboard"], responses=DashboardSerializer)
    def get(self, request: Request) -> Response:
        """Read the numbers of the caller's team."""
        numbers = stats.dashboard(team_of(request), now=clock.now())
        return Response(DashboardSerializer(numbers).data)

"""Entry points of signing up and in, staying signed in, signing out, and one's own profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import update_last_login
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response

from accounts import sign_up, tokens
from accounts.access import user_of
from accounts.api.serializers import (
    LoginSerializer,
    LogoutSerializer,
    ProfileSerializer,
    RefreshSerializer,
    RegisterSerializer,
    TokensSerializer,
    UserSerializer,
)
from accounts.authentication import NoAuthentication, TokenAuthentication, refuse
from accounts.idempotent import IdempotentPosts
from accounts.models import TokenFamily, User
from lib.faults import fault
from lib.filters import StrictParameters

if TYPE_CHECKING:
    from rest_framework.request import Request

SECRET = {"Cache-Control": "no-store"}  # no cache on the way may keep tokens


class AuthView(IdempotentPosts, StrictParameters, GenericAPIView[Any]):
    """Takes one body, checked by ``serializer_class``."""

    def body(self, request: Request) -> dict[str, Any]:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class BeforeSignInView(AuthView):
    """Asks for no token, and looks at none that is sent along."""

    authentication_classes = [NoAuthentication]
    permission_classes = [AllowAny]


class RegisterView(BeforeSignInView):
    serializer_class = RegisterSerializer

    @extend_schema(tags=["auth"], responses={201: TokensSerializer}, auth=[])
    def post(self, request: Request) -> Response:
        """Make an account, with a personal team, and sign in."""
        if not sign_up.is_open():
            raise PermissionDenied("Registration is closed here.", code="registration_closed")
        try:
            user = sign_up.sign_up(**self.body(request))
        except sign_up.EmailTakenError as exc:
            words = fault("There is an account with this address.", "email_taken", "Sign in.")
            raise ValidationError({"email": [words]}) from exc
        return _signed_in(tokens.sign_in(user, timezone.now()), status=201)


class LoginView(BeforeSignInView):
    serializer_class = LoginSerializer

    @extend_schema(tags=["auth"], responses=TokensSerializer, auth=[])
    def post(self, request: Request) -> Response:
        """Sign in with e-mail address and password."""
        body = self.body(request)
        # For an unknown address Django hashes the password all the same: it takes as long.
        user = authenticate(request._request, username=body["email"], password=body["password"])
        if not isinstance(user, User):
            raise AuthenticationFailed(
                "The e-mail address or the password is wrong.", code="credentials_invalid"
            )
        update_last_login(User, user)
        return _signed_in(tokens.sign_in(user, timezone.now()))


class RefreshView(BeforeSignInView):
    serializer_class = RefreshSerializer

    @extend_schema(tags=["auth"], responses=TokensSerializer, auth=[])
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for the next pair. It is good once; reuse ends the sign-in."""
        try:
            return _signed_in(tokens.refresh(self.body(request)["refresh"], timezone.now()))
        except tokens.BadTokenError:
            refuse()


class LogoutView(AuthView):
    """Ends the sign-in of the refresh token in the body, or else that of the bearer."""

    serializer_class = LogoutSerializer
    authentication_classes = [TokenAuthentication]
    permission_classes = [AllowAny]

    @extend_schema(tags=["auth"], responses={204: None})
    def post(self, request: Request) -> Response:
        """Sign out: none of the sign-in's tokens is good any more."""
        raw = self.body(request).get("refresh")
        try:
            family_id = tokens.family_of_refresh(raw) if raw else _family_of_bearer(request).pk
        except tokens.BadTokenError:
            refuse()
        tokens.sign_out(family_id, timezone.now())
        return Response(status=204)


class MeView(AuthView):
    serializer_class = ProfileSerializer
    permission_classes = [IsAuthenticated]

    @extend_schema(tags=["auth"], responses=UserSerializer)
    def get(self, request: Request) -> Response:
        """Say who is signed in."""
        return Response(UserSerializer(user_of(request)).data)

    @extend_schema(tags=["auth"], responses=UserSerializer)
    def patch(self, request: Request) -> Response:
        """Change one's name."""
        user, changes = user_of(request), self.body(request)
        if "name" in changes:
            user.name = changes["name"]
            user.save(update_fields=["name"])
        return Response(UserSerializer(user).data)


def _signed_in(pair: tokens.Pair, *, status: int = 200) -> Response:
    return Response(TokensSerializer(pair).data, status=status, headers=SECRET)


def _family_of_bearer(request: Request) -> TokenFamily:
    if isinstance(request.auth, TokenFamily):
        return request.auth
    raise tokens.BadTokenError

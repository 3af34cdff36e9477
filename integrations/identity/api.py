"""The password door for service roles: username and password in, a 12-hour token out."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView

from assets.places.models import User
from config.kernel.rest import SignedIn, StrictSerializer
from integrations.identity import services
from integrations.identity.models import ApiToken


class Credentials(StrictSerializer):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=128, trim_whitespace=False)


class TokenAnswer(serializers.Serializer[ApiToken]):
    token = serializers.CharField(help_text="`Authorization: Token <token>`")
    expires_at = serializers.DateTimeField()


class TokenDoorThrottle(AnonRateThrottle):
    scope = "token"


class TokenView(APIView):
    """Get a token by password, or revoke the token of this request."""

    authentication_classes = ()
    permission_classes = (AllowAny,)  # this is the door; the lock-out of django-axes and the throttle guard it
    throttle_classes = (TokenDoorThrottle,)

    def get_authenticate_header(self, request: Request) -> str:
        """Makes a wrong pair 401: without an authentication class REST framework would say 403."""
        return "Token"

    @extend_schema(request=Credentials, responses={200: TokenAnswer, 401: OpenApiResponse(description="wrong pair")})
    def post(self, request: Request) -> Response:
        given = Credentials(data=request.data)
        given.is_valid(raise_exception=True)
        user = authenticate(request._request, **given.validated_data)
        if not isinstance(user, User):
            raise AuthenticationFailed(_("用户名或密码不对，或尝试太多次，15 分钟后再试。"))
        row, clear = services.issue_token(user, at=timezone.now())
        return Response({"token": clear, "expires_at": row.expires_at})


class RevokeView(APIView):
    """End the token that signed this request in."""

    permission_classes = (SignedIn,)

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        if isinstance(request.auth, ApiToken):
            services.revoke(request.auth, at=timezone.now())
        return Response(status=204)

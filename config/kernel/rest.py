"""What every REST door shares: deny by default, problem+json, keyset pages, Idempotency-Key, ETag and If-Match."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.forms import MultipleChoiceField
from django.http import Http404, QueryDict
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers, status
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.away import RETRY_AFTER, is_away
from config.kernel.errors import Conflict, DomainError, Invalid
from config.kernel.models import IdempotencyRecord

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)


DEEPEST = 32  # levels of a JSON body; what it is copied and hashed with has limits of its own


class DenyByDefault(BasePermission):
    """A view that forgot to say who may answers nobody."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return False


class SignedIn(BasePermission):
    """Any active account; rows are scoped by the view's queryset."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user and request.user.is_authenticated and request.user.is_active)


class BoundedJSONParser(JSONParser):
    """Lists within lists within lists are a bad request, not a broken server."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError(_("JSON 嵌套太深。")) from None
        except exceptions.ParseError:
            raise exceptions.ParseError(_("请求正文不是有效的 JSON。")) from None
        if _deeper_than(DEEPEST, data):
            raise exceptions.ParseError(_("JSON 嵌套太深。"))
        return data


def _deeper_than(levels: int, data: Any) -> bool:
    layer = [data]
    for _level in range(levels):
        layer = [
            below
            for one in layer
            if isinstance(one, dict | list)
            for below in (one.values() if isinstance(one, dict) else one)
        ]
    return bool(layer)


class FastJSONRenderer(JSONRenderer):
    """orjson: the same JSON, several times faster."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if data is None:
            return b""
        # Errors of a list name its rows by number.
        return orjson.dumps(data, default=str, option=orjson.OPT_NON_STR_KEYS)


# Input with named fields only: an unknown key is an error, so nothing can be slipped in. A comment, because a docstring
# would stand in the API description of every body.
class StrictSerializer(serializers.Serializer[Any]):
    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = set(data) - set(self.fields)
            if unknown:
                raise serializers.ValidationError({name: [_("没有这个字段。")] for name in sorted(map(str, unknown))})
        return super().to_internal_value(data)


class WholeNumber(serializers.IntegerField):
    """Digits, as described: not " 7", "7.0" or the digits of another script, which Python also takes for seven."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and not re.fullmatch(r"-?[0-9]{1,19}", data):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class UUIDText(serializers.UUIDField):
    """The text of a UUID, as described: not a number, nor what Python also reads as 32 digits ("0x...", "1_1...")."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not re.fullmatch(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", data):
            self.fail("invalid")
        return UUID(data)


class ShortList(serializers.ListField):
    """At most `max_length` items, counted before any is looked at: a list without end would hold the database's write lock
    for as long as reading it, and telling what is wrong with each, takes."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, list) and self.max_length and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


def refuse_repeats(query: QueryDict, *, besides: Collection[str] = ()) -> None:
    """`limit=1&limit=2` says two things: it is refused, except for names that may be said several times."""
    twice = sorted(name for name in query if name not in besides and len(query.getlist(name)) > 1)
    if twice:
        raise serializers.ValidationError({name: [_("只写一次。")] for name in twice})


class KeysetPagination(CursorPagination):
    """Pages by position, never by offset or count: page 10,000 costs what page 1 costs."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        """A misspelt filter would quietly answer with everything: it is refused by name."""
        filters = getattr(view, "filterset_class", None)
        known = {self.cursor_query_param, self.page_size_query_param, *(filters.base_filters if filters else ())}
        unknown = sorted(set(request.query_params) - known)
        empty = sorted(name for name in set(request.query_params) & known if not request.query_params[name])
        if unknown or empty:
            told = {name: [_("没有这个筛选。")] for name in unknown} | {name: [_("写一个值。")] for name in empty}
            raise serializers.ValidationError(told)
        several = {
            name
            for name, one in (filters.base_filters if filters else {}).items()
            if issubclass(one.field_class, MultipleChoiceField)
        }
        refuse_repeats(request.query_params, besides=several)
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        """The size asked for, at most the largest; what is no number is refused rather than ignored."""
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        if not (asked.isascii() and asked.isdigit() and int(asked[:9])):
            raise exceptions.ValidationError({"page_size": [_("填一个正整数。")]})
        return min(int(asked[:9]), self.max_page_size)

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] = {"type": "integer", "minimum": 1, "description": f"<= {self.max_page_size}"}
        return parameters

    def decode_cursor(self, request: Request) -> Any:
        """The place a cursor names; a made-up one is no page, like one that is not base64."""
        cursor = super().decode_cursor(request)
        place: Any = cursor.position if cursor else None
        if place is not None and not (place.isascii() and place.isdigit() and len(place) < 19):
            raise exceptions.NotFound(self.invalid_cursor_message)
        return cursor


def problem(code: str, sentence: Any, http_status: int, **more: Any) -> Response:
    """An RFC 9457 answer: `type`, `title`, `status`, `detail`, and `errors` by field where there are any."""
    body = {"type": f"urn:wardline:{code}", "title": str(sentence), "status": http_status, "detail": str(sentence)}
    return Response(body | more, status=http_status, content_type="application/problem+json")


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal leaves as problem+json with a sentence; what is not a refusal stays a server error."""
    if isinstance(error, DomainError):
        extra = {"errors": {k: [str(v)] for k, v in error.fields.items()}} if isinstance(error, Invalid) else {}
        return problem(error.code, error, error.status, **extra)
    if is_away(error):
        logger.error("the database or the disk is away", exc_info=error)
        answer = problem("away", _("现在存不了，过几秒再试。"), 503)
        answer["Retry-After"] = RETRY_AFTER
        return answer
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    if isinstance(error, exceptions.ValidationError):
        return problem("invalid", _("有些内容要改。"), 400, errors=_by_field(error.detail))
    answer = problem(str(error.default_code), _sentence(error), error.status_code)
    if header := getattr(error, "auth_header", None):
        answer["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        answer["Retry-After"] = str(int(wait) + 1)
    return answer


def _by_field(detail: Any) -> dict[str, Any]:
    if isinstance(detail, dict):
        return {k: v if isinstance(v, (list, dict)) else [v] for k, v in detail.items()}
    return {"non_field_errors": detail if isinstance(detail, list) else [detail]}


def _sentence(error: exceptions.APIException) -> str:
    if isinstance(error, exceptions.NotFound):
        return _("没有这一条，或者你看不到它。")
    if isinstance(error, exceptions.PermissionDenied):
        return _("你的账号不能做这件事。")
    if isinstance(error, exceptions.Throttled):
        return _("请求太频繁，过一会儿再试。")
    return str(error.detail)


Handler = Callable[..., Response]


def idempotent(handler: Handler) -> Handler:
    """A POST with `Idempotency-Key` happens once: the same key and body get the same answer, another body a 409.

    The record is written in the transaction of the effect, so a crash leaves neither; rivals wait for each other at
    the unique constraint.
    """

    @wraps(handler)
    def once(view: APIView, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "").strip()
        if not key:
            with transaction.atomic():
                return handler(view, request, *args, **kwargs)
        if len(key) > 80:
            raise Invalid(_("Idempotency-Key 最长 80 个字符。"))
        scope = f"api:{request.user.pk}"
        digest = hashlib.sha256(request.path.encode() + b"\0" + request_body(request)).hexdigest()
        try:
            with transaction.atomic():
                record = IdempotencyRecord.objects.create(scope=scope, key=key, request_hash=digest)
                answer = handler(view, request, *args, **kwargs)
                record.status = answer.status_code
                record.body = orjson.loads(orjson.dumps(answer.data, default=str))
                record.save(update_fields=["status", "body"])
                return answer
        except IntegrityError:
            known = IdempotencyRecord.objects.filter(scope=scope, key=key).first()
            if known is None:
                raise
        if known.request_hash != digest:
            raise Conflict(_("这个 Idempotency-Key 已用于另一个请求。"), code="idempotency_key_reused")
        return Response(known.body, status=known.status or status.HTTP_200_OK, headers={"Idempotent-Replay": "true"})

    return once


def request_body(request: Request) -> bytes:
    """The parsed body in one canonical spelling, so that key order does not make another request of it."""
    try:
        return orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    except TypeError as error:  # half a surrogate pair, a whole number beyond 64 bits, nesting without end
        raise Invalid(_("有些内容要改。")) from error


def etag(version: int) -> str:
    return f'W/"{version}"'


def matches(request: Request, version: int) -> bool:
    """True when the client already has this version (`If-None-Match`)."""
    given = [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]
    return etag(version) in given or "*" in given


def expected_version(request: Request) -> int | None:
    """The version named by `If-Match`, for refusing stale writes; None when the client does not ask."""
    given = request.headers.get("If-Match", "").strip()
    if given in ("", "*"):
        return None
    found = re.fullmatch(r'(?:W/)?"([0-9]{1,9})"|([0-9]{1,9})', given)  # an ETag, or the bare `version` of the ticket
    if found is None:
        raise Invalid(_("If-Match 要用刚读到的 ETag。"))
    return int(found[1] or found[2])

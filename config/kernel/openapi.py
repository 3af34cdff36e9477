"""Parts of the API description that every door repeats."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

IF_MATCH = OpenApiParameter("If-Match", str, "header", description="ETag last read; a stale one answers 409.")
IDEMPOTENCY = OpenApiParameter("Idempotency-Key", str, "header", description="Same key, same effect, same answer.")
PROBLEMS: Final = {
    400: OpenApiResponse(description="problem+json: what to change, by field"),
    401: OpenApiResponse(description="problem+json: sign in"),
    403: OpenApiResponse(description="problem+json: not for this account"),
    404: OpenApiResponse(description="problem+json: not there, or not yours"),
    409: OpenApiResponse(description="problem+json: not in this state, stale, or key reused"),
    429: OpenApiResponse(description="problem+json: too many requests"),
}
_EVERY_DOOR: Final[dict[int, Any]] = {
    401: PROBLEMS[401].description,
    406: "problem+json: only JSON is spoken here",
    429: PROBLEMS[429].description,
}
_WITH_BODY: Final[dict[int, Any]] = {
    400: PROBLEMS[400].description,
    403: PROBLEMS[403].description,
    415: "problem+json: another type of body is read here",
}
_PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": True},
    },
}


class Described(AutoSchema):
    """Adds the refusals that a door need not name itself, and says of all refusals what they look like."""

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for refused, why in self._refusals().items():
            bodies.setdefault(str(refused), {"description": why})
        for code, body in bodies.items():
            if code.startswith("4"):
                body["content"] = {"application/problem+json": {"schema": _PROBLEM}}
        return dict(sorted(bodies.items()))

    def _refusals(self) -> dict[int, Any]:
        found = dict(_EVERY_DOOR)
        if self.method == "POST":
            found |= _WITH_BODY
        found[404] = PROBLEMS[404].description  # also where no id stands in the path: a NUL in an address names nothing
        if getattr(self.view, "pagination_class", None) and self.method == "GET":
            found |= {400: PROBLEMS[400].description, 404: "problem+json: no such page"}
        return found

"""Parts of the API description that every door repeats."""

from __future__ import annotations

from typing import Final

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

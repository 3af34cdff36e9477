"""What every page frame needs: navigation that only names pages that exist, the number to call, words for scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language, pgettext_lazy

from config.kernel.words import js_words


@dataclass(frozen=True)
class Place:
    """One entry of the top bar: its word, the address names to try, the roles that work there."""

    label: Any
    names: tuple[str, ...]
    roles: frozenset[str]


_LEADS: Final = frozenset({"dispatcher", "manager", "admin"})
_STAFF: Final = _LEADS | {"engineer"}
PLACES: Final = (
    Place(pgettext_lazy("nav", "报修"), ("ward-home",), frozenset({"nurse"})),
    Place(pgettext_lazy("nav", "今天"), ("field:today",), frozenset({"engineer"})),
    Place(pgettext_lazy("nav", "看板"), ("desk:board",), _LEADS),
    Place(pgettext_lazy("nav", "工单"), ("desk:tickets", "desk:list"), _STAFF),
    Place(pgettext_lazy("nav", "派单"), ("dispatch:queue", "matching:queue", "desk:dispatch"), _LEADS),
    Place(pgettext_lazy("nav", "设备"), ("register:devices", "assets:devices", "register:list"), _STAFF),
    Place(pgettext_lazy("nav", "排班"), ("roster:week", "dispatch:roster"), _STAFF),
    Place(pgettext_lazy("nav", "统计"), ("desk:analytics", "desk:stats"), _LEADS),
    Place(pgettext_lazy("nav", "设计器"), ("form_builder:designs", "designer:list"), frozenset({"manager", "admin"})),
)
SEARCH: Final = ("desk:search", "desk:tickets", "desk:list")


def first_address(names: tuple[str, ...]) -> str:
    """The first of these pages that this installation has, or an empty string."""
    for name in names:
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return ""


def navigation(role: str, path: str) -> list[dict[str, Any]]:
    """Entries of the top bar for a role; the longest address that `path` begins with is the current one."""
    entries = [
        {"label": place.label, "url": url, "current": False}
        for place in PLACES
        if role in place.roles and (url := first_address(place.names))
    ]
    here = max((e for e in entries if _inside(path, e["url"])), key=lambda e: len(e["url"]), default=None)
    if here is not None:
        here["current"] = True
    return entries


def html_lang() -> str:
    """The page's language as HTML says it."""
    return "en" if (get_language() or "").startswith("en") else "zh-CN"


def _inside(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(url.rstrip("/") + "/"))


def page_frame(request: HttpRequest) -> dict[str, Any]:
    """`nav`, `search_url`, `may_admin`, `hospital_phone`, `other_language`, `js_words`. No query of its own."""
    english = (get_language() or "").startswith("en")

    def role() -> str:
        return str(getattr(getattr(request, "user", None), "role", ""))

    return {
        # Lazy: a ward page shows none of these and must not pay for reading the session.
        "nav": SimpleLazyObject(lambda: navigation(role(), request.path)),
        "search_url": SimpleLazyObject(lambda: first_address(SEARCH) if role() in _STAFF else ""),
        "may_admin": SimpleLazyObject(lambda: bool(getattr(request.user, "is_staff", False))),
        "hospital_phone": settings.HOSPITAL_PHONE,
        "other_language": {"code": "zh-hans", "label": "中文"} if english else {"code": "en", "label": "EN"},
        "html_lang": html_lang(),
        "js_words": js_words(),
    }

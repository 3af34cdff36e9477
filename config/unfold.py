"""The admin's look and its sidebar: Wardline's ramps in Unfold's shell."""

from typing import Any, Final

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

_STEPS: Final = ("50", "100", "200", "300", "400", "500", "600", "700", "800", "900", "950")
_BRAND: Final = "#F0F7F6 #E1EFEE #BFDDDB #8FC4C1 #4FA3A0 #1F8083 #0A5B5E #074649 #063A3C #052F31 #031D1E"
_NEUTRAL: Final = "#F4F6F5 #EAEEEC #DEE4E1 #C3CCC9 #93A39E #5F6C69 #4A5855 #34423E #1F2B28 #14201E #0A1110"


def _ramp(colours: str) -> dict[str, str]:
    return dict(zip(_STEPS, colours.split(), strict=True))


def _stylesheet(request: HttpRequest) -> str:
    return static("css/pages/admin.css")


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links by worry; a page that does not exist or that this person may not see is left out."""
    from django.contrib import admin

    groups = []
    for app in admin.site.get_app_list(request):
        items = [
            {"title": model["name"], "icon": "chevron_right", "link": model["admin_url"]}
            for model in app["models"]
            if model.get("admin_url")
        ]
        groups.append({"title": app["name"], "collapsible": True, "items": items})
    return [{"title": _("常用"), "items": list(_shortcuts())}, *groups]


def _shortcuts() -> list[dict[str, Any]]:
    wanted = [
        ("dashboard", _("总览"), "admin:index"),
        ("monitoring", _("看板"), "desk:board"),
        ("build", _("工程师页面"), "field:today"),
    ]
    found = []
    for icon, title, name in wanted:
        try:
            found.append({"title": title, "icon": icon, "link": reverse(name)})
        except NoReverseMatch:
            continue
    return found


UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": "Wardline",
    "SITE_HEADER": "Wardline",
    "SITE_SUBHEADER": _("医院设备工单"),
    "SITE_SYMBOL": "vital_signs",
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": True,
    "COLORS": {"primary": _ramp(_BRAND), "base": _ramp(_NEUTRAL)},
    "STYLES": [_stylesheet],
    "COMMAND": {"search_models": True},
    "SIDEBAR": {"show_search": True, "navigation": sidebar},
}

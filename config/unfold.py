"""The admin's look and its sidebar: Wardline's ramps in Unfold's shell."""

from typing import Any, Final

from django.apps import apps
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

_STEPS: Final = ("50", "100", "200", "300", "400", "500", "600", "700", "800", "900", "950")
_BRAND: Final = "#F0F7F6 #E1EFEE #BFDDDB #8FC4C1 #4FA3A0 #1F8083 #0A5B5E #074649 #063A3C #052F31 #031D1E"
_NEUTRAL: Final = "#F4F6F5 #EAEEEC #DEE4E1 #C3CCC9 #93A39E #5F6C69 #4A5855 #34423E #1F2B28 #14201E #0A1110"


def _ramp(colours: str) -> dict[str, str]:
    return dict(zip(_STEPS, colours.split(), strict=True))


def _tokens(request: HttpRequest) -> str:
    return static("css/tokens.css")


def _stylesheet(request: HttpRequest) -> str:
    return static("css/pages/admin.css")


def _script(request: HttpRequest) -> str:
    return static("js/admin.js")


def _favicon(request: HttpRequest) -> str:
    return static("img/logo.svg")


_Link = tuple[str, str]  # icon, `app.Model`
_GROUPS: Final[tuple[tuple[Any, tuple[_Link, ...]], ...]] = (
    (_("工单"), (("confirmation_number", "tickets.Ticket"), ("pause_circle", "tickets.HoldReason"))),
    (
        _("时限"),
        (
            ("timer", "tickets.Target"),
            ("grid_on", "tickets.PriorityRule"),
            ("calendar_month", "tickets.Calendar"),
            ("event_available", "tickets.CalendarDay"),
            ("escalator_warning", "tickets.Rung"),
            ("notifications_active", "tickets.Alert"),
        ),
    ),
    (
        _("派工"),
        (
            ("engineering", "dispatch.Engineer"),
            ("workspace_premium", "dispatch.EngineerQualification"),
            ("schedule", "dispatch.Shift"),
            ("event_busy", "dispatch.Leave"),
            ("alt_route", "dispatch.DepartmentMode"),
            ("balance", "dispatch.Weights"),
            ("fact_check", "dispatch.Decision"),
        ),
    ),
    (
        _("设备"),
        (
            ("monitor_heart", "assets.Device"),
            ("category", "assets.DeviceType"),
            ("account_tree", "assets.DeviceGroup"),
            ("report", "assets.FaultPreset"),
            ("handyman", "assets.Skill"),
            ("verified", "assets.Qualification"),
        ),
    ),
    (
        _("医院"),
        (
            ("apartment", "assets.Department"),
            ("location_on", "assets.Location"),
            ("badge", "assets.Person"),
            ("manage_accounts", "assets.User"),
        ),
    ),
    (
        _("系统"),
        (
            ("receipt_long", "kernel.EventRecord"),
            ("key", "integrations.ApiToken"),
            ("mail", "integrations.Notification"),
            ("outbox", "integrations.Delivery"),
        ),
    ),
)
# Tables that libraries bring: jobs must not be made by hand, rights follow from the role, second factors are personal.
_NOT_OURS: Final = ("auth", "account", "mfa", "axes", "django_q")


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links by worry; a page that this person may not open is left out."""
    groups = [{"title": _("常用"), "items": _shortcuts()}]
    for title, links in _GROUPS:
        items = [item for icon, label in links if (item := _item(request, icon, label))]
        if items:
            groups.append({"title": title, "collapsible": True, "items": items})
    return groups


def _item(request: HttpRequest, icon: str, label: str) -> dict[str, Any] | None:
    from django.contrib import admin  # settings import this module, which is too early for the admin

    model = apps.get_model(label)
    page = admin.site._registry.get(model)
    if page is None or not page.has_view_or_change_permission(request):
        return None
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return {"title": capfirst(model._meta.verbose_name_plural), "icon": icon, "link": address}


def _shortcuts() -> list[dict[str, Any]]:
    return [
        {"title": _("总览"), "icon": "dashboard", "link": reverse("admin:index")},
        {"title": _("看板"), "icon": "monitoring", "link": "/desk/"},
        {"title": _("工程师页面"), "icon": "build", "link": "/field/"},
        {"title": _("接口文档"), "icon": "api", "link": "/api/v1/docs/"},
    ]


def withdraw_foreign_pages() -> None:
    """Take the admin pages of libraries out again; called once, when addresses are composed."""
    from django.contrib import admin

    for model in [model for model in admin.site._registry if model._meta.app_label in _NOT_OURS]:
        admin.site.unregister(model)


UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": "Wardline",
    "SITE_HEADER": "Wardline",
    "SITE_SUBHEADER": _("医院设备工单"),
    "SITE_SYMBOL": "vital_signs",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _favicon}],
    "DASHBOARD_CALLBACK": "config.dashboard.landing",
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": True,
    "COLORS": {"primary": _ramp(_BRAND), "base": _ramp(_NEUTRAL)},
    "STYLES": [_tokens, _stylesheet],
    "SCRIPTS": [_script],
    "COMMAND": {"search_models": True},
    "SIDEBAR": {"show_search": True, "navigation": sidebar},
}

"""Who gets in where: the one table of every address, and who the people are. A door that stands here nowhere fails.

One letter a person, in the order of WHO. y: the door opens (what it then says depends on the state), n: refused or sent
to the sign-in, h: as if it were not there, -: no such method. The people of the matrix are these seven in other clothes.
"""

from __future__ import annotations

from tests.architecture.addresses import Address

WHO = ("nurse", "outsider", "engineer", "colleague", "dispatcher", "manager", "admin_user")
STRANGER, STAFF = "stranger", "dma"
ALL, HOUSE, DESK, WARDS, FIELD = "yyyyyyy", "nnyyyyy", "nnnnyyy", "yynnnnn", "nnyynnn"
THEIRS, THEIRS_AND_DESK, THEIRS_IN_HOUSE = "yhyyyyy", "yhnnyyy", "nhyyyyy"
HAS_IT, DESK_HIDDEN, ONLY_MINE = "nhynnnn", "nhnnyyy", "hhyhhhh"
NOBODY, AWAY = "hhhhhhh", "nnnnnnn"
NONE = "-"

# Open to a stranger, and what the door says to a GET and to an empty POST.
OPEN = {
    "healthz": (200, 200),
    "readyz": (503, 503),  # no worker and no clock in a test: it must say so
    "manifest": (200, 405),
    "set_language": (302, 302),
    "api-token": (405, 400),
    "ward:code": (200, 422),
    "ward:report": (200, 422),
    "ward:track": (200, 405),
    "ward:act": (302, 303),
    "ward:file": (200, 405),
    "account_login": (200, 200),
    "account_logout": (302, 302),
    "account_inactive": (200, 405),
    "admin:logout": (302, 302),
}

# GET, POST
DOORS: dict[str, tuple[str, str]] = {
    "home": (ALL, ALL),
    "login": (AWAY, AWAY),  # to the one sign-in
    "ward-home": (WARDS, NONE),
    "file": (THEIRS, NONE),
    "notifications": (ALL, ALL),
    "notifications-bell": (ALL, ALL),
    "notifications-read": (NONE, ALL),
    "notifications-call": (DESK, DESK),
    "notifications-follow": (NONE, ONLY_MINE),
    # the engineer's phone; the desk may look
    "field:today": (HOUSE, NONE),
    "field:waiting": (HOUSE, NONE),
    "field:scan": (HOUSE, HOUSE),
    "field:ticket": (HOUSE, NONE),
    "field:finish": (HOUSE, NONE),
    "field:fill": (HOUSE, HOUSE),
    "field:more": (HOUSE, NONE),
    "field:act": (HOUSE, "nnyynnn"),  # the colleague is told who has it, and nothing happens
    "engineers:duty": (FIELD, NONE),
    "engineers:me": (FIELD, NONE),
    # the desk; engineers read tickets there and comment
    "desk:board": (DESK, NONE),
    "desk:board-fragment": (DESK, NONE),
    "desk:tickets": (HOUSE, NONE),
    "desk:export": (DESK, NONE),
    "desk:new": (DESK, DESK),
    "desk:save-view": (NONE, HOUSE),
    "desk:delete-view": (NONE, "nnyhhhh"),
    "desk:ticket": (HOUSE, NONE),
    "desk:comment": (HOUSE, HOUSE),
    "desk:act": (HOUSE, DESK),
    "roster-card": (HOUSE, NONE),
    "matching-alerts": (DESK, NONE),
    "matching-assignment": (HOUSE, NONE),
    "matching-candidates": (HOUSE, NONE),
    "matching-confirm": (NONE, DESK),
    # the API
    "api-devices": (ALL, NONE),
    "api-device": (THEIRS, NONE),
    "api-places": (ALL, NONE),
    "api-departments": (ALL, NONE),
    "api-engineers": (HOUSE, NONE),
    "api-shifts": (HOUSE, NONE),
    "api-events": (ALL, NONE),
    "api-schema": (ALL, NONE),
    "api-docs": (ALL, NONE),
    "api-token-revoke": (NONE, ALL),
    "api-tickets": (ALL, ALL),
    "api-ticket": (THEIRS, NONE),
    "api-ticket-comments": (THEIRS, THEIRS),
    "api-ticket-attachments": (THEIRS, THEIRS),
    "api-ticket-costs": (THEIRS_IN_HOUSE, THEIRS_IN_HOUSE),
    "api-ticket-timeline": (THEIRS, NONE),
    "api-ticket-sla": (THEIRS, NONE),
    "api-ticket-assignment": (THEIRS_IN_HOUSE, NONE),
    **dict.fromkeys(
        [
            f"api-ticket-{verb}"
            for verb in ("accept", "decline", "depart", "arrive", "start", "pause", "resume", "resolve")
        ],
        (NONE, HAS_IT),
    ),
    **dict.fromkeys(
        [f"api-ticket-{verb}" for verb in ("triage", "assign", "close", "reopen", "reject", "reprioritise")],
        (NONE, DESK_HIDDEN),
    ),
    **dict.fromkeys([f"api-ticket-{verb}" for verb in ("confirm", "dispute", "cancel")], (NONE, THEIRS_AND_DESK)),
    # one's own account
    **dict.fromkeys(
        ["account_reauthenticate", "account_change_password", "mfa_authenticate", "mfa_reauthenticate",
         "mfa_reauthenticate_webauthn", "mfa_activate_totp", "mfa_generate_recovery_codes", "mfa_add_webauthn",
         "mfa_remove_webauthn", "mfa_edit_webauthn"],
        (ALL, ALL),
    ),
    "mfa_index": (ALL, NONE),
    "mfa_list_webauthn": (ALL, NONE),
    "mfa_view_recovery_codes": (NOBODY, NONE),  # nobody of the matrix has a second factor yet
    "mfa_download_recovery_codes": (NOBODY, NOBODY),
    "mfa_deactivate_totp": (NOBODY, NOBODY),
    # the admin's own pages
    "admin:index": (DESK, DESK),
    "admin:search": (DESK, DESK),
    "admin:app_list": (DESK, DESK),
    "admin:jsi18n": (DESK, NONE),
    "admin:logout": ("yyyy---", ALL),
    "admin:autocomplete": (AWAY, NONE),  # opens only with the names of a field that the person may edit
    "admin:password_change": (DESK, DESK),
    "admin:password_change_done": (DESK, NONE),
    "admin:login": ("nnnnyyy", "nnnnyyy"),
    "admin:view_on_site": ("nnnnhhh", "nnnnhhh"),
    "admin:elsewhere": ("nnnnhhh", "nnnnhhh"),  # whatever is no page of the admin
    "admin:auth_user_password_change": ("nnnnnny", "nnnnnny"),
    "admin:assets_device_import_register": ("nnnnnyy", "nnnnnyy"),
    "admin:assets_device_change_status": ("nnnnnyy", "nnnnnyy"),
    "admin:dispatch_weights_what_if": ("nnnnnyy", "nnnnnyy"),
}  # fmt: skip

# Admin lists: who may look, add, change, delete (d dispatcher, m manager, a administrator). Nobody else gets in at all.
LISTS: dict[str, tuple[str, str, str, str]] = {
    **dict.fromkeys(
        ["assets_location", "assets_department", "assets_skill", "assets_qualification", "assets_devicegroup",
         "assets_faultpreset", "assets_devicetype", "assets_device", "dispatch_departmentmode", "dispatch_weights"],
        ("dma", "ma", "ma", ""),
    ),
    **dict.fromkeys(
        ["tickets_holdreason", "tickets_calendar", "tickets_calendarday", "tickets_target", "tickets_rung"],
        ("dma", "ma", "ma", "ma"),
    ),
    "tickets_priorityrule": ("dma", "", "ma", ""),
    **dict.fromkeys(
        ["tickets_ticket", "tickets_clock", "tickets_alert", "tickets_pause", "tickets_rebase", "dispatch_trackrecord",
         "dispatch_decision", "dispatch_exclusion"],
        ("dma", "", "", ""),
    ),
    **dict.fromkeys(
        ["dispatch_engineerqualification", "dispatch_shift", "dispatch_leave"],
        ("dma", "dma", "dma", "ma"),
    ),
    "dispatch_engineer": ("dma", "dma", "dma", ""),
    **dict.fromkeys(["kernel_eventrecord", "integrations_notification", "integrations_delivery"], ("ma", "", "", "")),
    "tickets_savedview": ("ma", "", "ma", "ma"),
    "assets_user": ("ma", "a", "a", ""),
    "assets_person": ("a", "", "", ""),
    "integrations_apitoken": ("a", "", "", ""),
}  # fmt: skip
# Which right each door of a list asks of a GET and of a POST: 0 look, 1 add, 2 change, 3 delete.
_RIGHT = {"changelist": (0, 0), "add": (1, 1), "change": (0, 2), "history": (0, 0), "simple_history": (0, 0),
          "delete": (3, 3)}  # fmt: skip


def expected(address: Address, method: str) -> str:
    """The seven letters of one address and method (GET or POST), or NONE."""
    position = ("GET", "POST").index(method)
    if address.name in DOORS:
        return DOORS[address.name][position]
    if address.name in OPEN:
        return NONE if OPEN[address.name][position] == 405 else ALL
    model, _, door = address.name.removeprefix("admin:").rpartition("_")
    if address.is_admins_short_form:
        return DESK  # sends on to the page of the row, which asks
    if model.endswith("_simple"):
        model, door = model.removesuffix("_simple"), "simple_history"
    return "nnnn" + "".join("y" if who in LISTS[model][_RIGHT[door][position]] else "n" for who in STAFF)


def stands_in_the_table(address: Address) -> bool:
    try:
        return bool(expected(address, "GET"))
    except KeyError:
        return False

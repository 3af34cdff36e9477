"""Text that wants to be a program, written into every field that people fill, by the rows and by the doors.

Runs inside a hospital's own shell: `manage.py shell -c "from tests.browser.poison import ..."`.
"""

from __future__ import annotations

import contextlib
import json
from itertools import count
from typing import Any

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.test import Client

RUN = "window.__xss=1;alert(1)"
PAYLOADS = [
    "<xss-probe>",
    "<b x=xss-probe>",
    f"<script>{RUN}</script>",
    f"<ScRiPt src=data:,{RUN}>",
    f"<img src=x onerror={RUN}>",
    f"<svg/onload={RUN}>",
    f"<svg><animate onbegin={RUN} attributeName=x>",
    f'"><img src=x onerror={RUN}>',
    f"'><svg onload={RUN}>",
    f'" autofocus onfocus="{RUN}" x="',
    f"' onmouseover='{RUN}' x='",
    f'"><xss-probe onclick={RUN}>',
    f"</script><script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"--><script>{RUN}</script><!--",
    f"]]><script>{RUN}</script>",
    f"';{RUN}//",
    f'";{RUN}//',
    f"\\';{RUN}//",
    f"`${{{RUN}}}`",
    f"${{{RUN}}}",
    "{{constructor.constructor('alert(1)')()}}",
    "{% load i18n %}{{ settings.SECRET_KEY }}",
    "{{ 7|add:7 }}xss",
    f"<div x-data x-init='{RUN}'>",
    f"<div hx-get=/ hx-trigger=load hx-on::load='{RUN}'>",
    f"<a href=javascript:{RUN}>x</a>",
    f"javascript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'>",
    f"<object data='javascript:{RUN}'>",
    f"<form action=javascript:{RUN}><input name=xss-probe>",
    f"<meta http-equiv=refresh content='0;javascript:{RUN}'>",
    f"<base href='javascript:{RUN}//'>",
    f"<math><mi//xlink:href='data:x,<script>{RUN}</script>'>",
    f"<details open ontoggle={RUN}>",
    "&lt;xss-probe&gt;&#60;xss-probe&#62;",
    "\u2028<xss-probe>\u202e",
    "%3Cxss-probe%3E",
    "\\u003cxss-probe\\u003e",
    "＜xss-probe＞",
]
ROOMS = ("assets", "tickets", "dispatch", "integrations")
# Not typed by people: keys, file paths, and what the system itself writes and reads back.
KEYS = {
    "code", "icon", "short_code", "asset_no", "number", "username", "password", "public_id", "tracking_token", "token",
    "sha256", "content_type", "dedup", "template", "subject", "prefix", "digest", "building_code", "client_id", "key",
    "email", "symptom", "category", "fault_category", "backup_group", "anchor", "policy", "basis", "url", "channel",
}  # fmt: skip
_n = count()


def text_fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField)
        and not isinstance(field, models.SlugField | models.FileField)
        and not (field.choices or field.unique or field.name in KEYS or field.name.startswith("history_"))
    ]


def payload(most: int | None) -> str:
    """The next one that fits."""
    while True:
        found = PAYLOADS[next(_n) % len(PAYLOADS)]
        if most is None or len(found) <= most:
            return found


def rows() -> dict[str, int]:
    """Every text field of every row, past all checks; how many values each field got."""
    written = {}
    for app in ROOMS:
        for model in apps.get_app_config(app).get_models(include_auto_created=True):
            for field in text_fields(model):
                if field.max_length and field.max_length < len(PAYLOADS[0]):
                    continue
                for pk in model._default_manager.order_by("-pk").values_list("pk", flat=True)[:40]:
                    with contextlib.suppress(IntegrityError), transaction.atomic():
                        model._default_manager.filter(pk=pk).update(**{field.name: payload(field.max_length)})
                    written[f"{model._meta.label}.{field.name}"] = (
                        written.get(f"{model._meta.label}.{field.name}", 0) + 1
                    )
    groups = apps.get_model("assets", "DeviceGroup")
    groups.objects.update(
        first_aid={tongue: {"title": payload(None), "steps": [payload(None), payload(None)]} for tongue in ("zh", "en")}
    )
    return written


def doors(facts: dict[str, Any]) -> list[int]:
    """The same texts by the doors that people use; the statuses they answered."""
    users = apps.get_model("assets", "User")
    report = "/q/" + facts["devices"][0]["report_url"].split("/q/")[1]
    stranger, desk = Client(SERVER_NAME="127.0.0.1"), Client(SERVER_NAME="127.0.0.1")
    desk.force_login(users.objects.filter(role="manager").first(), backend="config.rights.RoleBackend")
    device = apps.get_model("assets", "Device").objects.get(public_id=facts["devices"][0]["public_id"])
    symptom = device.type.group.presets.first().code
    said = []
    for text in PAYLOADS[::3]:
        sent = stranger.post(report, {"in_use": "no", "symptom": symptom, "description": text, "separate": "1"})
        said.append(sent.status_code)
    track = sent["Location"].split("?")[0]
    for text in PAYLOADS:
        said.append(stranger.post(f"{track}add/", {"text": text}).status_code)
        said.append(stranger.post(f"{track}name/", {"name": text, "phone": text}).status_code)
    ticket = apps.get_model("tickets", "Ticket").objects.order_by("-pk").first()
    for text in PAYLOADS:
        body = json.dumps({"text": text})
        said.append(desk.post(f"/api/v1/tickets/{ticket.public_id}/comments/", body, "application/json").status_code)
        said.append(desk.post("/desk/views/", {"name": text[:40], "query": text}).status_code)
        said.append(desk.get("/desk/tickets/", {"q": text, "sort": text, "state": text}).status_code)
    return said

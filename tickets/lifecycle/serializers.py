"""What goes in and out of the ticket API. Inputs are strict: an unknown key is an error."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from assets.places.models import User
from assets.register.models import FaultPreset
from config.kernel.moments import MomentField
from config.kernel.rest import ShortList, StrictSerializer, UUIDText
from tickets.record.models import Action, Cause, Danger, Decon, HoldReason, Release, State, Ticket
from tickets.record.queries import to_report

MOST_LINES = 50  # parts or tests of one finish sheet: far beyond any repair, and written in a moment


class TicketOut(serializers.Serializer[Ticket]):
    """One ticket as every caller sees it. `due` is the latest moment of the fix; `targets` names all four. `assignee`
    is a login name, which wards are not told; `tracking_url` speaks for the ward, so engineers are not."""

    id = serializers.CharField(source="public_id")
    number = serializers.CharField()
    state = serializers.ChoiceField(State.choices)
    priority = serializers.IntegerField(min_value=1, max_value=4)
    device = serializers.CharField(source="device.public_id", default=None, allow_null=True)
    device_name = serializers.CharField(source="device_label")
    department = serializers.CharField(source="department.code")
    location = serializers.SerializerMethodField()
    symptom = serializers.CharField()
    symptom_name = serializers.CharField(source="fault_label")
    in_use = serializers.BooleanField(allow_null=True)
    danger = serializers.ListField(child=serializers.CharField())
    description = serializers.CharField()
    impact = serializers.CharField()
    criticality = serializers.CharField()
    priority_reasons = serializers.ListField(child=serializers.CharField())
    assignee = serializers.CharField(source="assignee.username", default=None, allow_null=True)
    assignee_name = serializers.CharField(source="assignee.short_name", default=None, allow_null=True)
    eta = serializers.DateTimeField(source="eta_at", allow_null=True)
    reported_at = serializers.DateTimeField()
    due = serializers.SerializerMethodField()
    targets = serializers.SerializerMethodField()
    tracking_url = serializers.SerializerMethodField(help_text="The ward's page: whoever has it confirms and rates.")
    repeat_of = serializers.CharField(source="repeat_of.public_id", default=None, allow_null=True)
    duplicate_of = serializers.CharField(source="duplicate_of.public_id", default=None, allow_null=True)
    parent = serializers.CharField(source="parent.public_id", default=None, allow_null=True)
    needs_callback = serializers.BooleanField()
    version = serializers.IntegerField(help_text="Send it back as If-Match to refuse a stale write.")

    def get_location(self, ticket: Ticket) -> str:
        return ticket.location.path if ticket.location else ""

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_due(self, ticket: Ticket) -> Any:
        dues = {clock.metric: clock.due_at for clock in ticket.clocks.all()}
        due = dues.get("fix") or max(dues.values(), default=None)
        return timezone.localtime(due) if due else None

    @extend_schema_field(serializers.DictField(child=serializers.DateTimeField()))
    def get_targets(self, ticket: Ticket) -> dict[str, Any]:
        return {clock.metric: timezone.localtime(clock.due_at) for clock in ticket.clocks.all()}

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_tracking_url(self, ticket: Ticket) -> str:
        return f"{settings.PUBLIC_BASE_URL}/t/{ticket.tracking_token}/"


class NewTicket(StrictSerializer):
    device = serializers.CharField(max_length=22, help_text="The device's id.")
    symptom = serializers.CharField(max_length=40, required=False, allow_null=True, help_text="A fault of its group.")
    in_use = serializers.BooleanField(required=False, allow_null=True, default=None)
    danger = ShortList(child=serializers.ChoiceField(Danger.choices), required=False, max_length=4)
    description = serializers.CharField(required=False, allow_blank=True, max_length=500, default="")
    client_id = UUIDText(
        required=False,
        allow_null=True,
        default=None,
        help_text="The caller's own id of this report. The same report with it again is the same ticket; another one is a 409.",
    )
    parent = serializers.CharField(
        required=False, max_length=22, help_text="A ticket that cannot end before this one does."
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Device, fault and past are read together: `reported` carries them, in place of their names."""
        symptom = given.pop("symptom", None)
        reported = to_report(given.pop("device"), symptom, self.context["at"])
        if reported is None:
            raise serializers.ValidationError({"device": [_("没有这台设备。")]})
        if symptom and reported.preset is None:
            raise serializers.ValidationError({"symptom": [_("这台设备没有这个故障项。")]})
        return given | {"reported": reported}


class Nothing(StrictSerializer):
    """A verb without a body."""


class WithReason(StrictSerializer):
    reason = serializers.CharField(max_length=200)


class WithOptionalReason(StrictSerializer):
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class Triage(StrictSerializer):
    symptom = serializers.SlugRelatedField(slug_field="code", queryset=FaultPreset.objects.all(), required=False)
    impact = serializers.ChoiceField(FaultPreset.Impact.choices, required=False)


class Assign(StrictSerializer):
    to = serializers.SlugRelatedField(
        slug_field="username",
        queryset=User.objects.filter(role=User.Role.ENGINEER, is_active=True).select_related("person"),
    )
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class Depart(StrictSerializer):
    eta_minutes = serializers.IntegerField(min_value=1, max_value=600, required=False)


class Arrive(StrictSerializer):
    scanned = serializers.BooleanField(required=False, default=False)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class Start(StrictSerializer):
    decon = serializers.ChoiceField([c for c in Decon.choices if c[0]], required=False)
    decon_note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class PauseIn(StrictSerializer):
    reason = serializers.SlugRelatedField(slug_field="code", queryset=HoldReason.objects.filter(active=True))
    until = MomentField(required=False)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class TestResult(StrictSerializer):
    code = serializers.CharField(
        max_length=30,
        required=False,
        default="",
        help_text="`function`: the function check that a high-risk device needs.",
    )
    name = serializers.CharField(max_length=60)
    value = serializers.FloatField()
    unit = serializers.CharField(max_length=10, required=False, allow_blank=True, default="")
    limit = serializers.FloatField(required=False, allow_null=True, default=None)
    passed = serializers.BooleanField()


class PartIn(StrictSerializer):
    name = serializers.CharField(max_length=80)
    quantity = serializers.IntegerField(min_value=1, max_value=999, default=1)
    serial_no = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    old_part_kept = serializers.BooleanField(default=False)


class Resolve(StrictSerializer):
    cause = serializers.ChoiceField(Cause.choices)
    action = serializers.ChoiceField(Action.choices)
    release = serializers.ChoiceField(Release.choices)
    release_note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    diagnosis = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    tests = ShortList(child=TestResult(), required=False, max_length=MOST_LINES)
    parts = ShortList(child=PartIn(), required=False, max_length=MOST_LINES)
    minutes = serializers.IntegerField(min_value=0, max_value=100_000, required=False, allow_null=True, default=None)


class Confirm(StrictSerializer):
    name = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    role = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    rating = serializers.IntegerField(min_value=1, max_value=3, required=False)


class Reprioritise(StrictSerializer):
    priority = serializers.IntegerField(min_value=1, max_value=4)
    reason = serializers.CharField(max_length=200)

"""The ticket. Its state moves only along the edges written here; services decide when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import RETURN_VALUE, ConcurrentTransitionMixin, FSMField, transition

from assets.places.models import Department, Location, Person
from assets.register.models import Criticality, Device, FaultPreset
from config.kernel.models import PublicIdField, new_public_id
from tickets.record.rules import LONGEST_HOLD, short_number

USER = settings.AUTH_USER_MODEL
LONGEST_HOLD_HOURS = LONGEST_HOLD // timedelta(hours=1)


class Kind(models.TextChoices):
    """What sort of work; each kind pins its form version in `Ticket.form_version`."""

    REPAIR = "repair", _("设备维修")


class State(models.TextChoices):
    NEW = "new", _("新报修")
    TRIAGED = "triaged", _("已分级")
    ASSIGNED = "assigned", _("已派单")
    ACCEPTED = "accepted", _("已接单")
    ARRIVED = "arrived", _("已到场")
    WORKING = "working", _("维修中")
    PAUSED = "paused", _("已暂停")
    RESOLVED = "resolved", _("已修复")
    VERIFYING = "verifying", _("待验收")
    CLOSED = "closed", _("已关闭")
    CANCELLED = "cancelled", _("已撤销")
    REJECTED = "rejected", _("已驳回")
    REOPENED = "reopened", _("重新打开")


S = State
ENDED = (S.CLOSED, S.CANCELLED, S.REJECTED)
OPEN = tuple(s for s in S if s not in ENDED)
UNASSIGNED = (S.NEW, S.TRIAGED, S.REOPENED)
IN_HAND = (S.ASSIGNED, S.ACCEPTED, S.ARRIVED, S.WORKING, S.PAUSED)


class Decon(models.TextChoices):
    """Infection control: work may not start before the ward or the engineer has declared it."""

    UNKNOWN = "", _("未声明")
    NOT_NEEDED = "not_needed", _("无需消毒")
    CLEANED = "cleaned", _("已清洁消毒")
    IMPOSSIBLE = "impossible", _("无法消毒")
    DIRTY = "dirty", _("未消毒")


class Source(models.TextChoices):
    SCAN = "scan", _("扫码")
    WEB = "web", _("网页")
    PHONE = "phone", _("电话")
    API = "api", _("接口")
    SENSOR = "sensor", _("传感器")
    PLAN = "plan", _("计划")


class TicketQuerySet(models.QuerySet["Ticket"]):
    """Named reads; `visible_to` lives in tickets.policies."""

    def open(self) -> TicketQuerySet:
        """By the time, not by the states: only that finds the few among millions through their own small index."""
        return self.filter(ended_at__isnull=True)

    def ended(self) -> TicketQuerySet:
        return self.filter(ended_at__isnull=False)

    def in_hand_of(self, user: Any) -> TicketQuerySet:
        return self.filter(assignee=user, state__in=IN_HAND)

    def for_board(self) -> TicketQuerySet:
        """All a list or board row shows, without a query per row (clocks by prefetch)."""
        return self.select_related(
            "device__type__group", "department", "location", "assignee__person", "preset", "hold_reason"
        ).prefetch_related("clocks")


class HoldReason(models.Model):
    """Why a repair may wait; data, so that a hospital can word its own."""

    code = models.SlugField(_("代码"), unique=True, max_length=30)
    name = models.CharField(_("名称"), max_length=60)
    name_en = models.CharField(_("英文名称"), max_length=60, blank=True)
    owner = models.CharField(_("由谁推动"), max_length=60, blank=True)
    stops_clock = models.BooleanField(_("暂停修复计时"), default=True)
    default_hours = models.PositiveSmallIntegerField(
        _("默认等待小时"), default=24, validators=[MinValueValidator(1), MaxValueValidator(LONGEST_HOLD_HOURS)]
    )
    active = models.BooleanField(_("启用"), default=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "暂停原因")
        verbose_name_plural = pgettext_lazy("plural", "暂停原因")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(default_hours__gte=1, default_hours__lte=LONGEST_HOLD_HOURS),
                name="hold_reason_within_its_longest",
            )
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        from django.utils.translation import get_language

        return self.name_en if (get_language() or "").startswith("en") and self.name_en else self.name


class Ticket(ConcurrentTransitionMixin, models.Model):
    """One work order. Personal data of the reporter is in `Person`; form answers of its pinned version in `answers`."""

    public_id = PublicIdField()
    tracking_token = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    number = models.CharField(_("工单号"), max_length=20, unique=True)
    kind = models.CharField(_("类型"), max_length=20, choices=Kind.choices, default=Kind.REPAIR)
    form_version = models.CharField(_("表单版本"), max_length=40, default="repair@1")
    state = FSMField(_("状态"), default=S.NEW, choices=S.choices, protected=True)
    version = models.PositiveIntegerField(_("版本"), default=1)
    source = models.CharField(_("来源"), max_length=10, choices=Source.choices, default=Source.SCAN)
    client_id = models.UUIDField(_("客户端编号"), null=True, blank=True, unique=True)

    device = models.ForeignKey(
        Device, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("设备"), db_index=False
    )
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="tickets", verbose_name=_("科室"), db_index=False
    )
    location = models.ForeignKey(
        Location, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("位置")
    )
    preset = models.ForeignKey(
        FaultPreset, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("故障现象"),
        db_index=False,
    )  # fmt: skip
    in_use = models.BooleanField(_("正在用于患者"), null=True, blank=True)
    danger = models.JSONField(_("危险情况"), default=list, blank=True)
    description = models.TextField(_("补充说明"), blank=True)
    answers = models.JSONField(_("表单内容"), default=dict, blank=True)
    category = models.CharField(_("故障类别"), max_length=30, blank=True)
    impact = models.CharField(_("影响"), max_length=2, choices=FaultPreset.Impact.choices, default="I3")
    criticality = models.CharField(_("关键等级"), max_length=2, choices=Criticality.choices, default="C3")
    priority = models.PositiveSmallIntegerField(_("优先级"), default=3, choices=[(n, f"P{n}") for n in (1, 2, 3, 4)])
    highest_priority = models.PositiveSmallIntegerField(_("曾经的最高优先级"), default=4)
    priority_reasons = models.JSONField(_("定级依据"), default=list, blank=True)

    reporter = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="reported_tickets", verbose_name=_("报修人")
    )
    contact_ext = models.CharField(_("联系分机"), max_length=13, blank=True)
    assignee = models.ForeignKey(
        USER, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("工程师"), db_index=False
    )
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("上级工单")
    )
    duplicate_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="duplicates", verbose_name=_("重复于")
    )
    repeat_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="repeats", verbose_name=_("30 天内重复于")
    )
    hold_reason = models.ForeignKey(
        HoldReason, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("暂停原因")
    )
    hold_until = models.DateTimeField(_("预计继续"), null=True, blank=True)
    held_from = models.CharField(  # a column with NULL is added without copying the table
        _("从哪一步暂停"), max_length=10, choices=State.choices, null=True, blank=True, editable=False
    )
    needs_callback = models.BooleanField(_("待核实，须回电"), default=False)
    nudges = models.PositiveIntegerField(_("催单次数"), default=0)
    decon = models.CharField(_("消毒状态"), max_length=12, choices=Decon.choices, blank=True, default="")
    decon_note = models.CharField(_("消毒说明"), max_length=200, blank=True)
    backup_device = models.ForeignKey(
        Device, models.PROTECT, null=True, blank=True, related_name="stood_in_for", verbose_name=_("已启用备用机")
    )
    route = models.CharField(
        _("维修途径"),
        max_length=10,
        blank=True,
        choices=[("self", _("自修")), ("warranty", _("保修")), ("contract", _("合同")), ("vendor", _("外修"))],
    )
    arrival_by_scan = models.BooleanField(_("扫码到场"), default=False)
    reopen_count = models.PositiveSmallIntegerField(_("重开次数"), default=0)
    rating = models.PositiveSmallIntegerField(
        _("评价"), null=True, blank=True, choices=[(3, _("满意")), (2, _("一般")), (1, _("不满意"))]
    )
    rating_reasons = models.JSONField(_("评价原因"), default=list, blank=True)
    simulated = models.BooleanField(_("模拟数据"), default=False)
    search_text = models.TextField(editable=False, blank=True)

    reported_at = models.DateTimeField(_("报修时间"))
    client_reported_at = models.DateTimeField(_("手机上的报修时间"), null=True, blank=True)
    triaged_at = models.DateTimeField(_("分级时间"), null=True, blank=True)
    assigned_at = models.DateTimeField(_("派单时间"), null=True, blank=True)
    accepted_at = models.DateTimeField(_("接单时间"), null=True, blank=True)
    departed_at = models.DateTimeField(_("出发时间"), null=True, blank=True)
    eta_at = models.DateTimeField(_("预计到场"), null=True, blank=True)
    arrived_at = models.DateTimeField(_("到场时间"), null=True, blank=True)
    started_at = models.DateTimeField(_("开始时间"), null=True, blank=True)
    restored_at = models.DateTimeField(_("恢复时间"), null=True, blank=True)
    resolved_at = models.DateTimeField(_("修复时间"), null=True, blank=True)
    ended_at = models.DateTimeField(_("结束时间"), null=True, blank=True)
    updated_at = models.DateTimeField(_("更新时间"), auto_now=True)

    objects = TicketQuerySet.as_manager()
    # Due times by metric, only on what `submit` has just opened: its first answer need not read them back.
    first_dues: dict[str, datetime] | None = None

    class Meta:
        verbose_name = pgettext_lazy("one", "工单")
        verbose_name_plural = pgettext_lazy("plural", "工单")
        ordering: ClassVar = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=S.values), name="ticket_state_known"),
            models.CheckConstraint(condition=Q(priority__gte=1, priority__lte=4), name="ticket_priority_1_to_4"),
            models.CheckConstraint(
                condition=~Q(state__in=[S.ASSIGNED, S.ACCEPTED, S.ARRIVED, S.WORKING]) | Q(assignee__isnull=False),
                name="ticket_in_hand_has_assignee",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ENDED, ended_at__isnull=False) | Q(state__in=OPEN, ended_at__isnull=True),
                name="ticket_ended_at_its_end",
            ),
        ]
        # Each begins with the column of a foreign key that has no index of its own, or serves one page at any size.
        indexes = [
            models.Index(fields=["-id"], name="ticket_open", condition=Q(ended_at__isnull=True)),
            models.Index(fields=["department", "-id"], name="ticket_now", condition=Q(ended_at__isnull=True)),
            models.Index(fields=["department", "ended_at"], name="ticket_lately", condition=Q(ended_at__isnull=False)),
            models.Index(fields=["assignee", "state"], name="ticket_assignee_state"),
            models.Index(fields=["department", "-id"], name="ticket_department"),
            # With the end in it, or SQLite takes another one that holds all it asks for, and walks the device's past.
            models.Index(fields=["device", "ended_at"], name="ticket_device_now", condition=Q(ended_at__isnull=True)),
            models.Index(fields=["device", "-id"], name="ticket_device"),
            # What a report asks of the device's past: open now, closed lately. Else each reads all its tickets.
            models.Index(fields=["device", "state", "ended_at"], name="ticket_device_past"),
            models.Index(fields=["preset", "state", "-id"], name="ticket_same_fault"),
            models.Index(fields=["-id"], name="ticket_repeated", condition=Q(repeat_of__isnull=False)),
            models.Index(fields=["reported_at"], name="ticket_reported"),
            models.Index(fields=["source", "-id"], name="ticket_source"),
            models.Index(fields=["state", "-id"], name="ticket_state"),
            models.Index(fields=["priority", "-id"], name="ticket_priority"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def short_number(self) -> str:
        """What people say aloud: `0003`, and `1122-0003` when it is not of today."""
        return short_number(self.number, timezone.localdate())

    @property
    def symptom(self) -> str:
        """The symptom code, empty when none was chosen."""
        return self.preset.code if self.preset else ""

    @property
    def title(self) -> str:
        """Device and fault on one line, e.g. `呼吸机 HV-300 停机`."""
        return " ".join(p for p in (self.device_label, self.fault_label) if p)

    @property
    def device_label(self) -> str:
        return self.device.label if self.device else str(self.department)

    @property
    def fault_label(self) -> str:
        return self.preset.flat_label if self.preset else ""

    @property
    def is_open(self) -> bool:
        return self.state not in ENDED

    # The edges. Bodies are empty: what follows from a step is told in tickets.lifecycle.services.
    @transition(state, source=S.NEW, target=S.TRIAGED)
    def to_triaged(self) -> None: ...

    @transition(state, source=[S.ASSIGNED, S.ACCEPTED, S.ARRIVED], target=S.TRIAGED)
    def to_unassigned(self) -> None: ...

    @transition(state, source=[S.TRIAGED, S.REOPENED, *IN_HAND], target=S.ASSIGNED)
    def to_assigned(self) -> None: ...

    @transition(state, source=[S.ASSIGNED, S.TRIAGED, S.REOPENED], target=S.ACCEPTED)
    def to_accepted(self) -> None: ...

    @transition(state, source=S.ACCEPTED, target=S.ARRIVED)
    def to_arrived(self) -> None: ...

    @transition(state, source=[S.ARRIVED, S.ACCEPTED], target=S.WORKING)
    def to_working(self) -> None: ...

    @transition(state, source=[S.WORKING, S.ARRIVED, S.ACCEPTED], target=S.PAUSED)
    def to_paused(self) -> None: ...

    # One may wait for a part before one has left: what goes on is the step that was held, and arrival is still to come.
    @transition(state, source=S.PAUSED, target=RETURN_VALUE(S.ACCEPTED, S.ARRIVED, S.WORKING))
    def to_resumed(self) -> str:
        return self.held_from or S.WORKING

    @transition(state, source=S.WORKING, target=S.RESOLVED)
    def to_resolved(self) -> None: ...

    @transition(state, source=S.RESOLVED, target=S.VERIFYING)
    def to_verifying(self) -> None: ...

    @transition(state, source=[S.RESOLVED, S.VERIFYING], target=S.CLOSED)
    def to_closed(self) -> None: ...

    @transition(state, source=[S.RESOLVED, S.VERIFYING, S.CLOSED], target=S.REOPENED)
    def to_reopened(self) -> None: ...

    @transition(state, source=[S.NEW, S.TRIAGED, S.REOPENED, *IN_HAND], target=S.CANCELLED)
    def to_cancelled(self) -> None: ...

    @transition(state, source=[S.NEW, S.TRIAGED, S.ASSIGNED], target=S.REJECTED)
    def to_rejected(self) -> None: ...

    # The way back of one field step, within seconds, to the state that its `LastStep` remembers.
    @transition(
        state,
        source=[S.ACCEPTED, S.ARRIVED, S.WORKING, S.PAUSED],
        target=RETURN_VALUE(S.TRIAGED, S.REOPENED, S.ASSIGNED, S.ACCEPTED, S.ARRIVED, S.WORKING, S.PAUSED),
    )
    def to_undone(self, before: str) -> str:
        return before

"""The promise: calendars, targets, ladder and matrix as data; one clock per ticket and metric; append-only pauses."""

from __future__ import annotations

from datetime import time
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from assets.places.models import Person
from assets.register.models import Criticality, FaultPreset
from tickets.record.models import HoldReason, Ticket

WHOLE = 100  # percent
YEAR = 366 * 24 * 60  # minutes
TOO_LONG = _("最多 %(most)s 分钟，也就是一年。")
WEEKDAYS = list(enumerate((_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))))


class Metric(models.TextChoices):
    """The four stops of the line, in order."""

    RESPONSE = "response", _("响应")
    ARRIVAL = "arrival", _("到场")
    RESTORATION = "restoration", _("恢复")
    FIX = "fix", _("修复")


class Calendar(models.Model):
    """Working time of one campus; `always` is 24x7."""

    code = models.SlugField(_("代码"), unique=True, max_length=20)
    name = models.CharField(_("名称"), max_length=60)
    timezone = models.CharField(_("时区"), max_length=40, default="Asia/Shanghai")
    always = models.BooleanField(_("24×7"), default=False)
    history = HistoricalRecords(related_name="log")

    class Meta:
        verbose_name = pgettext_lazy("one", "工作日历")
        verbose_name_plural = pgettext_lazy("plural", "工作日历")

    def __str__(self) -> str:
        return gettext(self.name) if self.name else self.code

    def clean(self) -> None:
        if self.timezone not in available_timezones():
            raise ValidationError({"timezone": _("写时区的名字，例如 Asia/Shanghai。")})


class CalendarWindow(models.Model):
    """One working window of a weekday; several a day leave lunch out. `ends` 00:00 means midnight at the day's end."""

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="windows", verbose_name=_("日历"))
    weekday = models.PositiveSmallIntegerField(
        _("星期"),
        choices=WEEKDAYS,
    )
    starts = models.TimeField(_("开始"))
    ends = models.TimeField(_("结束"))

    class Meta:
        verbose_name = pgettext_lazy("one", "工作时段")
        verbose_name_plural = pgettext_lazy("plural", "工作时段")
        ordering: ClassVar = ["weekday", "starts"]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.starts:%H:%M}-{self.ends:%H:%M}"

    def clean(self) -> None:
        if self.starts and self.ends and self.ends != time(0) and self.ends <= self.starts:
            raise ValidationError({"ends": _("结束要晚于开始。到半夜就写 00:00。")})


class CalendarDay(models.Model):
    """An exception: a holiday, or a make-up workday (调休) that works like the weekday `like`."""

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="days", verbose_name=_("日历"))
    day = models.DateField(_("日期"))
    name = models.CharField(_("名称"), max_length=60)
    works = models.BooleanField(_("上班"), default=False)
    like = models.PositiveSmallIntegerField(_("按星期几上班"), null=True, blank=True, choices=WEEKDAYS)

    class Meta:
        verbose_name = pgettext_lazy("one", "节假日与调休")
        verbose_name_plural = pgettext_lazy("plural", "节假日与调休")
        ordering: ClassVar = ["day"]
        constraints = [models.UniqueConstraint(fields=["calendar", "day"], name="calendar_day_once")]

    def __str__(self) -> str:
        return f"{self.day} {gettext(self.name)}"


class PriorityRule(models.Model):
    """One cell of the impact x criticality matrix (domain 2.1)."""

    impact = models.CharField(_("影响"), max_length=2, choices=FaultPreset.Impact.choices)
    criticality = models.CharField(_("关键等级"), max_length=2, choices=Criticality.choices)
    priority = models.PositiveSmallIntegerField(_("优先级"), choices=[(n, f"P{n}") for n in (1, 2, 3, 4)])
    history = HistoricalRecords(related_name="log")

    class Meta:
        verbose_name = pgettext_lazy("one", "优先级矩阵")
        verbose_name_plural = pgettext_lazy("plural", "优先级矩阵")
        ordering: ClassVar = ["impact", "criticality"]
        constraints = [models.UniqueConstraint(fields=["impact", "criticality"], name="priority_rule_cell")]

    def __str__(self) -> str:
        return f"{self.impact} x {self.criticality} = P{self.priority}"


class Target(models.Model):
    """Working minutes promised for one priority and metric. `off_hours_minutes` holds when reported outside
    `office_calendar` (P1/P2 arrival by an engineer on call)."""

    priority = models.PositiveSmallIntegerField(_("优先级"), choices=[(n, f"P{n}") for n in (1, 2, 3, 4)])
    metric = models.CharField(_("指标"), max_length=12, choices=Metric.choices)
    minutes = models.PositiveIntegerField(_("时限（分钟）"))
    calendar = models.ForeignKey(Calendar, models.PROTECT, related_name="targets", verbose_name=_("日历"))
    off_hours_minutes = models.PositiveIntegerField(_("非工作时间时限（分钟）"), null=True, blank=True)
    office_calendar = models.ForeignKey(
        Calendar, models.PROTECT, null=True, blank=True, related_name="office_targets", verbose_name=_("办公日历")
    )
    pausable = models.BooleanField(_("可暂停"), default=False)
    history = HistoricalRecords(related_name="log")

    class Meta:
        verbose_name = pgettext_lazy("one", "时限")
        verbose_name_plural = pgettext_lazy("plural", "时限")
        ordering: ClassVar = ["priority", "metric"]
        constraints = [
            models.UniqueConstraint(fields=["priority", "metric"], name="target_once"),
            models.CheckConstraint(
                condition=~Q(metric__in=["response", "arrival"], pausable=True), name="response_and_arrival_never_pause"
            ),
            # Working time is counted window by window inside a report's transaction: ages of it would hold everybody up.
            models.CheckConstraint(
                condition=Q(minutes__lte=YEAR) & (Q(off_hours_minutes=None) | Q(off_hours_minutes__lte=YEAR)),
                name="target_within_a_year",
            ),
        ]

    def __str__(self) -> str:
        return f"P{self.priority} {self.get_metric_display()} {self.minutes}"

    def clean(self) -> None:
        wrong: dict[str, Any] = {}
        if self.minutes == 0:
            wrong["minutes"] = _("要大于 0")
        if self.pausable and self.metric in (Metric.RESPONSE, Metric.ARRIVAL):
            wrong["pausable"] = _("响应和到场不能暂停。")
        if (self.off_hours_minutes is None) != (self.office_calendar_id is None):
            wrong["off_hours_minutes"] = _("非工作时间时限和办公日历要一起填，或都不填。")
        elif self.off_hours_minutes == 0:
            wrong["off_hours_minutes"] = _("要大于 0")
        for name in ("minutes", "off_hours_minutes"):
            if (getattr(self, name) or 0) > YEAR:
                wrong[name] = TOO_LONG % {"most": YEAR}
        if not wrong and (sentence := self._out_of_order()):
            wrong["minutes"] = sentence
        if wrong:
            raise ValidationError(wrong)

    def _out_of_order(self) -> str:
        """A later promise that is shorter than an earlier one of the same calendar, or the reverse: nobody can keep both."""
        order = Metric.values
        if not self.minutes or self.metric not in order:  # the field has said what is wrong
            return ""
        others = Target.objects.filter(priority=self.priority, calendar=self.calendar_id).exclude(pk=self.pk)
        for other in sorted(others, key=lambda one: order.index(one.metric)):
            said = {"metric": other.get_metric_display(), "n": other.minutes}
            if order.index(other.metric) < order.index(self.metric) and self.minutes < other.minutes:
                return _("%(metric)s时限是 %(n)s 分钟，这里不能更短。") % said
            if order.index(other.metric) > order.index(self.metric) and self.minutes > other.minutes:
                return _("%(metric)s时限是 %(n)s 分钟，这里不能更长。") % said
        return ""


class Rung(models.Model):
    """One step of the escalation ladder (domain 2.3): when, and who is told. Exactly one of the three times is set."""

    class Tell(models.TextChoices):
        ASSIGNEE = "assignee", _("工程师")
        SECONDARY = "secondary", _("二线值班")
        LEAD = "lead", _("组长")
        HEAD = "head", _("科长")
        DUTY = "duty", _("总值班")
        DIRECTOR = "director", _("分管院长")
        WARD = "ward", _("病区")

    priority = models.PositiveSmallIntegerField(_("优先级"), choices=[(n, f"P{n}") for n in (1, 2, 3, 4)])
    metric = models.CharField(_("指标"), max_length=12, choices=Metric.choices)
    after_minutes = models.PositiveIntegerField(_("计时后（分钟）"), null=True, blank=True)
    at_percent = models.PositiveSmallIntegerField(_("用去时限（%）"), null=True, blank=True)
    past_due_minutes = models.PositiveIntegerField(_("超时后（分钟）"), null=True, blank=True)
    tell = models.CharField(_("通知"), max_length=10, choices=Tell.choices)
    urgent = models.BooleanField(_("响铃"), default=False)
    note = models.CharField(_("说明"), max_length=100, blank=True)
    active = models.BooleanField(_("启用"), default=True)
    history = HistoricalRecords(related_name="log")

    class Meta:
        verbose_name = pgettext_lazy("one", "升级阶梯")
        verbose_name_plural = pgettext_lazy("plural", "升级阶梯")
        ordering: ClassVar = ["priority", "metric", "after_minutes", "at_percent"]
        constraints = [
            models.CheckConstraint(
                condition=Q(after_minutes__isnull=False, at_percent__isnull=True, past_due_minutes__isnull=True)
                | Q(after_minutes__isnull=True, at_percent__isnull=False, past_due_minutes__isnull=True)
                | Q(after_minutes__isnull=True, at_percent__isnull=True, past_due_minutes__isnull=False),
                name="rung_has_one_time",
            ),
            models.CheckConstraint(
                condition=(Q(after_minutes=None) | Q(after_minutes__lte=YEAR))
                & (Q(past_due_minutes=None) | Q(past_due_minutes__lte=YEAR)),
                name="rung_within_a_year",
            ),
        ]

    def __str__(self) -> str:
        return f"P{self.priority} {self.get_metric_display()} → {self.get_tell_display()}"

    def clean(self) -> None:
        times = ("after_minutes", "at_percent", "past_due_minutes")
        given = [name for name in times if getattr(self, name) is not None]
        if len(given) != 1:
            words = _("三个时间里只填一个。") if given else _("三个时间里填一个。")
            raise ValidationError(dict.fromkeys(given or times, words))
        if self.at_percent is not None and not 0 < self.at_percent <= WHOLE:
            raise ValidationError({"at_percent": _("写 1 到 100。")})
        if getattr(self, given[0]) > YEAR:
            raise ValidationError({given[0]: TOO_LONG % {"most": YEAR}})


class Clock(models.Model):
    """The running promise of one metric. `next_at` is the moment of the next unfired step (warning, breach, rung);
    null when nothing more can happen: the clock process reads only that partial index."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="clocks", verbose_name=pgettext_lazy("one", "工单"))
    metric = models.CharField(_("指标"), max_length=12, choices=Metric.choices)
    priority = models.PositiveSmallIntegerField(_("优先级"))
    calendar = models.ForeignKey(Calendar, models.PROTECT, related_name="clocks", verbose_name=_("日历"))
    target_minutes = models.PositiveIntegerField(_("时限（分钟）"))
    pausable = models.BooleanField(_("可暂停"), default=False)
    started_at = models.DateTimeField(_("起算"))
    due_at = models.DateTimeField(_("到期"))
    warn_at = models.DateTimeField(_("提醒"))
    paused = models.BooleanField(_("暂停中"), default=False)
    next_at = models.DateTimeField(_("下一步"), null=True, blank=True)
    met_at = models.DateTimeField(_("达成"), null=True, blank=True)
    warned_at = models.DateTimeField(_("已提醒"), null=True, blank=True)
    breached_at = models.DateTimeField(_("超时"), null=True, blank=True)
    stopped_at = models.DateTimeField(_("终止"), null=True, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "计时")
        verbose_name_plural = pgettext_lazy("plural", "计时")
        ordering: ClassVar = ["id"]
        constraints = [models.UniqueConstraint(fields=["ticket", "metric"], name="clock_once_per_metric")]
        indexes = [
            models.Index(fields=["next_at"], name="clock_next", condition=Q(next_at__isnull=False)),
            models.Index(fields=["met_at"], name="clock_met", condition=Q(met_at__isnull=False)),
            models.Index(fields=["breached_at"], name="clock_breached", condition=Q(breached_at__isnull=False)),
            models.Index(fields=["-id"], name="clock_paused", condition=Q(paused=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_metric_display()} {timezone.localtime(self.due_at):%m-%d %H:%M}"

    @property
    def running(self) -> bool:
        return self.met_at is None and self.stopped_at is None


class Alert(models.Model):
    """A step that fired: the unique pair (clock, step) is what makes every alert happen once.

    `step` is `warning`, `breach` or `rung:<id>`, followed by `@<n>` after the n-th re-basing.
    """

    clock = models.ForeignKey(Clock, models.CASCADE, related_name="alerts", verbose_name=_("计时"))
    step = models.CharField(_("步骤"), max_length=30)
    rung = models.ForeignKey(
        Rung, models.SET_NULL, null=True, blank=True, related_name="alerts", verbose_name=_("阶梯")
    )
    due_at = models.DateTimeField(_("应在"))
    at = models.DateTimeField(_("发出"))

    class Meta:
        verbose_name = pgettext_lazy("one", "提醒记录")
        verbose_name_plural = pgettext_lazy("plural", "提醒记录")
        constraints = [models.UniqueConstraint(fields=["clock", "step"], name="alert_once")]

    def __str__(self) -> str:
        return f"{self.clock} {self.step_label}"

    @property
    def step_label(self) -> str:
        """What rang, in words."""
        if self.rung:
            return str(self.rung)
        kind = self.step.split("@", maxsplit=1)[0]
        return str({"warning": _("快到时限"), "breach": _("已超时")}.get(kind, _("升级")))


class Pause(models.Model):
    """Append-only: the clock was stopped. Its end is a row of its own (`PauseEnd`), so nothing is ever rewritten."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="pauses", verbose_name=pgettext_lazy("one", "工单"))
    reason = models.ForeignKey(HoldReason, models.PROTECT, related_name="pauses", verbose_name=_("原因"))
    owner = models.CharField(_("由谁推动"), max_length=60, blank=True)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    started_at = models.DateTimeField(_("开始"))
    expected_end_at = models.DateTimeField(_("预计结束"))
    by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+", verbose_name=_("操作者"))

    class Meta:
        verbose_name = pgettext_lazy("one", "暂停")
        verbose_name_plural = pgettext_lazy("plural", "暂停")
        ordering: ClassVar = ["started_at"]

    def __str__(self) -> str:
        return f"{self.reason} {timezone.localtime(self.started_at):%m-%d %H:%M}"


class PauseEnd(models.Model):
    pause = models.OneToOneField(Pause, models.CASCADE, related_name="end", verbose_name=_("暂停"))
    at = models.DateTimeField(_("结束"))
    automatic = models.BooleanField(_("自动继续"), default=False)
    by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+", verbose_name=_("操作者"))

    class Meta:
        verbose_name = _("暂停结束")
        verbose_name_plural = _("暂停结束")

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%m-%d %H:%M}"


class Rebase(models.Model):
    """Append-only: the priority changed and all targets were computed anew from the report time."""

    ticket = models.ForeignKey(
        Ticket, models.CASCADE, related_name="rebases", verbose_name=pgettext_lazy("one", "工单")
    )
    at = models.DateTimeField(_("时间"))
    from_priority = models.PositiveSmallIntegerField(_("原优先级"))
    to_priority = models.PositiveSmallIntegerField(_("新优先级"))
    reason = models.CharField(_("原因"), max_length=200)
    by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+", verbose_name=_("操作者"))

    class Meta:
        verbose_name = pgettext_lazy("one", "改优先级")
        verbose_name_plural = pgettext_lazy("plural", "改优先级")
        ordering: ClassVar = ["at"]

    def __str__(self) -> str:
        return f"P{self.from_priority} → P{self.to_priority}"

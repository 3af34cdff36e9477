"""How tickets find engineers: weights and modes as data, and the stored reason for every decision."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from assets.places.models import Department
from dispatch.matching.rules import settings_from
from tickets.record.models import Ticket

USER = settings.AUTH_USER_MODEL


class Mode(models.TextChoices):
    AUTOMATIC = "automatic", _("自动派单")
    SUGGEST = "suggest", _("建议，调度确认")
    GRAB = "grab", _("抢单")


class DepartmentMode(models.Model):
    """How tickets of a department are given out; automatic where nothing is set."""

    department = models.OneToOneField(Department, models.CASCADE, related_name="dispatch_mode", verbose_name=_("科室"))
    mode = models.CharField(_("方式"), max_length=10, choices=Mode.choices, default=Mode.AUTOMATIC)
    history = HistoricalRecords(related_name="log")

    class Meta:
        verbose_name = pgettext_lazy("one", "科室派单方式")
        verbose_name_plural = pgettext_lazy("plural", "科室派单方式")

    def __str__(self) -> str:
        return f"{self.department} {self.get_mode_display()}"


class Weights(models.Model):
    """One version of the cost function's weights (names as in algorithms.md 1); exactly one is active."""

    version = models.PositiveIntegerField(_("版本"), unique=True)
    values = models.JSONField(_("权重"), default=dict)
    active = models.BooleanField(_("启用"), default=False)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("时间"), auto_now_add=True)
    history = HistoricalRecords(related_name="log")

    class Meta:
        verbose_name = pgettext_lazy("one", "派单权重")
        verbose_name_plural = pgettext_lazy("plural", "派单权重")
        ordering: ClassVar = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["active"], condition=models.Q(active=True), name="weights_one_active")
        ]

    def __str__(self) -> str:
        return str(self.version)

    def clean(self) -> None:
        """Only names that the cost function knows, only numbers it can use; what is missing keeps its default."""
        try:
            settings_from(self.values)
        except (ValueError, TypeError, AttributeError) as error:
            raise ValidationError({"values": _("这一项不能用：%(name)s") % {"name": error}}) from error


class Decision(models.Model):
    """Why this engineer: every candidate's terms, every rejection's rule, stored as it was decided."""

    class Outcome(models.TextChoices):
        ASSIGNED = "assigned", _("已派单")
        SUGGESTED = "suggested", _("建议")
        DEFERRED = "deferred", _("等合适的人")
        NOBODY = "nobody", _("无人可派")
        OVERRIDDEN = "overridden", _("人工改派")

    class Method(models.TextChoices):
        ASSIGNMENT = "assignment", _("最优分配")
        C_MU = "c_mu", _("按紧急度排序")
        LEAST_LOADED = "least_loaded", _("负载最轻")
        BY_HAND = "by_hand", _("人工指定")

    ticket = models.ForeignKey(
        Ticket, models.CASCADE, related_name="decisions", verbose_name=pgettext_lazy("one", "工单")
    )
    at = models.DateTimeField(_("时间"))
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome.choices)
    chosen = models.ForeignKey(
        USER, models.SET_NULL, null=True, blank=True, related_name="decisions", verbose_name=_("人选")
    )
    mode = models.CharField(_("算法"), max_length=20, choices=Method.choices)
    weights_version = models.PositiveIntegerField(_("权重版本"), default=1)
    input_hash = models.CharField(max_length=64, blank=True)
    explanation = models.JSONField(_("依据"), default=dict)
    needs_review = models.BooleanField(_("需人工复核"), default=False)
    open = models.BooleanField(_("待确认"), default=False)

    class Meta:
        verbose_name = pgettext_lazy("one", "派单决定")
        verbose_name_plural = pgettext_lazy("plural", "派单决定")
        ordering: ClassVar = ["-id"]
        indexes = [models.Index(fields=["ticket", "-id"], name="decision_ticket")]

    def __str__(self) -> str:
        return f"{self.ticket} {self.get_outcome_display()}"


class Exclusion(models.Model):
    """This engineer is out for this ticket: refused it, or let the acceptance time run out."""

    class Reason(models.TextChoices):
        REFUSED = "refused", _("已拒单")
        TIMED_OUT = "timed_out", _("未按时接单")
        PREEMPTED = "preempted", _("被急单调走")
        BY_HAND = "by_hand", _("人工排除")

    ticket = models.ForeignKey(
        Ticket, models.CASCADE, related_name="exclusions", verbose_name=pgettext_lazy("one", "工单")
    )
    user = models.ForeignKey(USER, models.CASCADE, related_name="exclusions", verbose_name=_("工程师"))
    reason = models.CharField(_("原因"), max_length=10, choices=Reason.choices)
    at = models.DateTimeField(_("时间"))
    note = models.CharField(_("说明"), max_length=200, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "排除")
        verbose_name_plural = pgettext_lazy("plural", "排除")
        constraints = [models.UniqueConstraint(fields=["ticket", "user"], name="exclusion_once")]

    def __str__(self) -> str:
        return f"{self.user} {self.get_reason_display()}"

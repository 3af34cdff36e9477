"""Who is on duty when: shifts, on-call, leave."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from dispatch.engineers.models import Engineer

# Words, not data: a rota that uses them reads right in both languages.
USUAL_NAMES = (gettext_noop("白班"), gettext_noop("夜班"), gettext_noop("带班"), gettext_noop("二线"))


class Shift(models.Model):
    """One duty of one engineer, half-open [starts_at, ends_at)."""

    class Role(models.TextChoices):
        PRIMARY = "primary", _("一线")
        SECONDARY = "secondary", _("二线")
        LEAD = "lead", _("带班组长")

    class Presence(models.TextChoices):
        ON_SITE = "on_site", _("在院")
        ON_CALL = "on_call", _("院内听班")
        HOME = "home", _("在家听班")

    engineer = models.ForeignKey(Engineer, models.CASCADE, related_name="shifts", verbose_name=_("工程师"))
    starts_at = models.DateTimeField(_("开始"))
    ends_at = models.DateTimeField(_("结束"))
    role = models.CharField(_("角色"), max_length=10, choices=Role.choices, default=Role.PRIMARY)
    presence = models.CharField(_("方式"), max_length=8, choices=Presence.choices, default=Presence.ON_SITE)
    name = models.CharField(_("班次"), max_length=20, blank=True)
    history = HistoricalRecords(related_name="log")

    class Meta:
        verbose_name = _("班次")
        verbose_name_plural = _("排班")
        ordering: ClassVar = ["starts_at"]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="shift_ends_after_start")]
        indexes = [models.Index(fields=["ends_at", "starts_at"], name="shift_span")]

    def __str__(self) -> str:
        return f"{self.engineer} {timezone.localtime(self.starts_at):%m-%d %H:%M}"

    def clean(self) -> None:
        _ends_later(self)
        if self.starts_at and self.ends_at and self.engineer_id:
            rivals = Shift.objects.filter(engineer=self.engineer_id, presence=self.presence).exclude(pk=self.pk)
            if rivals.filter(starts_at__lt=self.ends_at, ends_at__gt=self.starts_at).exists():
                raise ValidationError({"starts_at": _("这段时间已经排了班。")})

    @property
    def label(self) -> str:
        """What the shift is called; the usual names follow the page's language, others stay as typed."""
        return gettext(self.name) if self.name else str(self.get_role_display())


class Leave(models.Model):
    """Absence that overrides every shift: ill, holiday, training."""

    class Kind(models.TextChoices):
        ILL = "ill", _("病假")
        HOLIDAY = "holiday", _("休假")
        TRAINING = "training", _("培训")
        OTHER = "other", _("其他")

    engineer = models.ForeignKey(Engineer, models.CASCADE, related_name="leaves", verbose_name=_("工程师"))
    kind = models.CharField(_("类别"), max_length=10, choices=Kind.choices, default=Kind.HOLIDAY)
    starts_at = models.DateTimeField(_("开始"))
    ends_at = models.DateTimeField(_("结束"))
    note = models.CharField(_("说明"), max_length=100, blank=True)
    history = HistoricalRecords(related_name="log")

    class Meta:
        verbose_name = pgettext_lazy("one", "请假")
        verbose_name_plural = pgettext_lazy("plural", "请假")
        ordering: ClassVar = ["-starts_at"]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="leave_ends_after_start")]

    def __str__(self) -> str:
        return f"{self.engineer} {self.get_kind_display()}"

    def clean(self) -> None:
        _ends_later(self)


def _ends_later(span: Shift | Leave) -> None:
    if span.starts_at and span.ends_at and span.ends_at <= span.starts_at:
        raise ValidationError({"ends_at": _("结束要晚于开始。")})

"""Engineers: what they can, where they start from, how much they may carry, how it went so far."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from assets.places.models import Location
from assets.register.models import Qualification, Skill

USER = settings.AUTH_USER_MODEL


class Engineer(models.Model):
    """The dispatch side of an account with role `engineer`. A ticket's assignee is the user, never this row."""

    user = models.OneToOneField(USER, models.CASCADE, related_name="engineer", verbose_name=_("账号"))
    base = models.ForeignKey(
        Location, models.PROTECT, null=True, blank=True, related_name="engineers", verbose_name=_("常驻位置")
    )
    last_seen = models.ForeignKey(
        Location, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("最近扫码位置")
    )
    max_open = models.PositiveSmallIntegerField(_("手上工单上限"), default=5)
    is_lead = models.BooleanField(_("组长"), default=False)
    active = models.BooleanField(_("参与派单"), default=True)
    history = HistoricalRecords(related_name="log")

    class Meta:
        verbose_name = pgettext_lazy("one", "工程师")
        verbose_name_plural = pgettext_lazy("plural", "工程师")

    def __str__(self) -> str:
        return str(self.user)


class EngineerSkill(models.Model):
    engineer = models.ForeignKey(Engineer, models.CASCADE, related_name="skills", verbose_name=_("工程师"))
    skill = models.ForeignKey(Skill, models.PROTECT, related_name="holders", verbose_name=_("技能"))
    level = models.PositiveSmallIntegerField(
        _("等级"), default=2, choices=[(1, _("1 初级")), (2, _("2 熟练")), (3, _("3 专家"))]
    )

    class Meta:
        verbose_name = pgettext_lazy("one", "工程师技能")
        verbose_name_plural = pgettext_lazy("plural", "工程师技能")
        constraints = [models.UniqueConstraint(fields=["engineer", "skill"], name="engineer_skill_once")]

    def __str__(self) -> str:
        return f"{self.skill} {self.level}"


class EngineerQualification(models.Model):
    """A card; valid up to and including `valid_until`."""

    engineer = models.ForeignKey(Engineer, models.CASCADE, related_name="qualifications", verbose_name=_("工程师"))
    qualification = models.ForeignKey(Qualification, models.PROTECT, related_name="holders", verbose_name=_("资质"))
    card_no = models.CharField(_("证号"), max_length=40, blank=True)
    valid_until = models.DateField(_("有效期至"))

    class Meta:
        verbose_name = pgettext_lazy("one", "工程师资质")
        verbose_name_plural = pgettext_lazy("plural", "工程师资质")
        ordering: ClassVar = ["-valid_until"]

    def __str__(self) -> str:
        return f"{self.qualification} {self.valid_until}"


class TrackRecord(models.Model):
    """Counts of finished repairs by engineer and fault category; predictions shrink them (algorithms.md 1)."""

    engineer = models.ForeignKey(Engineer, models.CASCADE, related_name="track_records", verbose_name=_("工程师"))
    category = models.CharField(_("故障类别"), max_length=30)
    attempts = models.FloatField(_("次数"), default=0)
    first_fixes = models.FloatField(_("一次修好"), default=0)
    log_minutes_sum = models.FloatField(_("对数分钟和"), default=0)

    class Meta:
        verbose_name = pgettext_lazy("one", "维修记录统计")
        verbose_name_plural = pgettext_lazy("plural", "维修记录统计")
        constraints = [models.UniqueConstraint(fields=["engineer", "category"], name="track_record_once")]

    def __str__(self) -> str:
        return f"{self.engineer} {self.category} {self.first_fixes:g}/{self.attempts:g}"

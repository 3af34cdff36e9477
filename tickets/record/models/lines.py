"""What hangs on a ticket: watchers, comments, files, hours, parts, costs, signatures, repair reports, saved views."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from assets.places.models import Person
from config.kernel.models import PublicIdField, new_public_id
from tickets.record.models.ticket import Ticket

USER = settings.AUTH_USER_MODEL


class TicketCounter(models.Model):
    """The last number given on a day; raised by a guarded UPDATE."""

    day = models.DateField(primary_key=True)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("工单计数")
        verbose_name_plural = _("工单计数")

    def __str__(self) -> str:
        return f"{self.day} {self.last}"


class _OnTicket(models.Model):
    """A line of a ticket: when and by whom."""

    at = models.DateTimeField(_("时间"))
    by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("操作者"))

    class Meta:
        abstract = True


class Watcher(_OnTicket):
    """Who is told of progress: a signed-in person, or an anonymous reporter by the token on their own phone."""

    ticket = models.ForeignKey(
        Ticket, models.CASCADE, related_name="watchers", verbose_name=pgettext_lazy("one", "工单")
    )
    token = models.CharField(max_length=22, unique=True, default=new_public_id, editable=False)
    client_id = models.UUIDField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("撤回时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("关注")
        verbose_name_plural = _("关注")
        constraints = [models.UniqueConstraint(fields=["ticket", "client_id"], name="watcher_once_per_client")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.at:%m-%d %H:%M}"


class Comment(_OnTicket):
    ticket = models.ForeignKey(
        Ticket, models.CASCADE, related_name="comments", verbose_name=pgettext_lazy("one", "工单")
    )
    text = models.TextField(_("内容"), max_length=500)
    public = models.BooleanField(_("病区可见"), default=True)
    masked = models.BooleanField(_("已遮住隐私"), default=False)

    class Meta:
        verbose_name = pgettext_lazy("one", "留言")
        verbose_name_plural = pgettext_lazy("plural", "留言")
        ordering: ClassVar = ["at"]

    def __str__(self) -> str:
        return self.text[:40]


class Attachment(_OnTicket):
    """A re-encoded file; the client's name is only a label, the stored name is random."""

    public_id = PublicIdField()
    ticket = models.ForeignKey(
        Ticket, models.CASCADE, related_name="attachments", verbose_name=pgettext_lazy("one", "工单")
    )
    kind = models.CharField(_("类别"), max_length=5, choices=[("photo", _("照片")), ("audio", _("语音"))])
    file = models.FileField(_("文件"), upload_to="originals", max_length=200)
    thumbnail = models.FileField(_("缩略图"), upload_to="thumbs", max_length=200, blank=True)
    content_type = models.CharField(_("内容类型"), max_length=40)
    size = models.PositiveIntegerField(_("字节"))
    sha256 = models.CharField(max_length=64)
    report = models.ForeignKey(
        "RepairReport", models.SET_NULL, null=True, blank=True, related_name="files", verbose_name=_("维修报告")
    )
    label = models.CharField(_("说明"), max_length=100, blank=True)
    public = models.BooleanField(_("病区可见"), default=True, db_default=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "附件")
        verbose_name_plural = pgettext_lazy("plural", "附件")
        ordering: ClassVar = ["at"]

    def __str__(self) -> str:
        return self.label or self.public_id


class TimeEntry(models.Model):
    ticket = models.ForeignKey(
        Ticket, models.CASCADE, related_name="time_entries", verbose_name=pgettext_lazy("one", "工单")
    )
    user = models.ForeignKey(USER, models.PROTECT, related_name="time_entries", verbose_name=_("工程师"))
    started_at = models.DateTimeField(_("开始"))
    ended_at = models.DateTimeField(_("结束"), null=True, blank=True)
    automatic = models.BooleanField(_("自动记录"), default=True)
    reason = models.CharField(_("修改原因"), max_length=200, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "工时")
        verbose_name_plural = pgettext_lazy("plural", "工时")
        ordering: ClassVar = ["started_at"]

    def __str__(self) -> str:
        return f"{self.user} {self.started_at:%m-%d %H:%M}"


class PartLine(_OnTicket):
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="parts", verbose_name=pgettext_lazy("one", "工单"))
    name = models.CharField(_("配件"), max_length=80)
    serial_no = models.CharField(_("序列号"), max_length=60, blank=True)
    quantity = models.PositiveSmallIntegerField(_("数量"), default=1)
    unit_price = models.DecimalField(_("单价（元）"), max_digits=10, decimal_places=2, null=True, blank=True)
    old_part_kept = models.BooleanField(_("旧件已留存"), default=False)

    class Meta:
        verbose_name = pgettext_lazy("one", "配件")
        verbose_name_plural = pgettext_lazy("plural", "配件")

    def __str__(self) -> str:
        return f"{self.name} x {self.quantity}"


class CostLine(_OnTicket):
    KINDS: ClassVar = {"parts": _("配件"), "labour": _("人工"), "vendor": _("外修"), "other": _("其他")}

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="costs", verbose_name=pgettext_lazy("one", "工单"))
    kind = models.CharField(
        _("费用类别"),
        max_length=10,
        choices=list(KINDS.items()),
    )
    amount = models.DecimalField(_("金额（元）"), max_digits=12, decimal_places=2)
    note = models.CharField(_("说明"), max_length=200, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "费用")
        verbose_name_plural = pgettext_lazy("plural", "费用")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"


class Signature(_OnTicket):
    """Who signed what, and the hash of the content they saw."""

    ticket = models.ForeignKey(
        Ticket, models.CASCADE, related_name="signatures", verbose_name=pgettext_lazy("one", "工单")
    )
    meaning = models.CharField(_("含义"), max_length=10, choices=[("release", _("放行")), ("accept", _("验收"))])
    signer = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="signatures", verbose_name=_("签字人"))
    signer_role = models.CharField(_("职务"), max_length=40, blank=True)
    content_hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = pgettext_lazy("one", "签字")
        verbose_name_plural = pgettext_lazy("plural", "签字")

    def __str__(self) -> str:
        return f"{self.get_meaning_display()} {self.at:%m-%d %H:%M}"


class LastStep(models.Model):
    """What a ticket was before its latest field step, for as long as that step may be taken back. One row a ticket,
    overwritten by the next step: the facts themselves stay in the log.

    `before`: columns of the ticket by name, times in ISO 8601, and under `entry`, `ended`, `device` what else changed.
    """

    ticket = models.OneToOneField(
        Ticket, models.CASCADE, primary_key=True, related_name="last_step", verbose_name=pgettext_lazy("one", "工单")
    )
    verb = models.CharField(_("步骤"), max_length=10)
    by = models.ForeignKey(Person, models.CASCADE, related_name="+", verbose_name=_("操作者"))
    at = models.DateTimeField(_("时间"))
    version = models.PositiveIntegerField(_("版本"))
    before = models.JSONField(_("之前"), default=dict)

    class Meta:
        verbose_name = _("最近一步")
        verbose_name_plural = _("最近一步")

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.verb}"


class Cause(models.TextChoices):
    """T1 cause_code."""

    ACCESSORY = "accessory", _("附件耗材")
    PART = "part", _("部件失效")
    AGEING = "ageing", _("老化")
    OPERATION = "operation", _("操作")
    ENVIRONMENT = "environment", _("环境电源气源")
    SOFTWARE = "software", _("软件网络")
    DAMAGE = "damage", _("人为损坏")
    NOT_FOUND = "not_found", _("未见异常")


class Action(models.TextChoices):
    """T1 action_code."""

    REPLACE = "replace", _("更换")
    REPAIR = "repair", _("维修")
    CALIBRATE = "calibrate", _("校准")
    RESET = "reset", _("重启设置")
    CLEAN = "clean", _("清洁")
    TRAIN = "train", _("培训")
    SEND_OUT = "send_out", _("送修")
    IRREPARABLE = "irreparable", _("无法修复")


class Release(models.TextChoices):
    USABLE = "usable", _("可用")
    RESTRICTED = "restricted", _("限用")
    OUT_OF_USE = "out_of_use", _("停用")


class RepairReport(_OnTicket):
    """The finish sheet of one attempt; a reopened ticket gets a second one.

    `tests`: list of `{"code", "name", "value", "unit", "limit", "passed"}`.
    """

    ticket = models.ForeignKey(
        Ticket, models.CASCADE, related_name="repair_reports", verbose_name=pgettext_lazy("one", "工单")
    )
    cause = models.CharField(_("原因"), max_length=12, choices=Cause.choices)
    action = models.CharField(_("处理方式"), max_length=12, choices=Action.choices)
    diagnosis = models.TextField(_("诊断"), blank=True, max_length=500)
    tests = models.JSONField(_("修后检测"), default=list, blank=True)
    release = models.CharField(_("放行结论"), max_length=12, choices=Release.choices)
    release_note = models.CharField(_("限用或停用说明"), max_length=200, blank=True)
    minutes = models.PositiveIntegerField(_("用时（分钟）"), default=0)

    class Meta:
        verbose_name = pgettext_lazy("one", "维修报告")
        verbose_name_plural = pgettext_lazy("plural", "维修报告")
        ordering: ClassVar = ["-at"]

    def __str__(self) -> str:
        return f"{self.get_cause_display()} {self.get_action_display()}"


class SavedView(models.Model):
    """A named set of list filters; `query` holds only known filter codes and values."""

    owner = models.ForeignKey(USER, models.CASCADE, related_name="saved_views", verbose_name=_("所有者"))
    name = models.CharField(_("名称"), max_length=40)
    query = models.JSONField(_("筛选"), default=dict)
    shared = models.BooleanField(_("全员可见"), default=False)

    class Meta:
        verbose_name = pgettext_lazy("one", "保存的视图")
        verbose_name_plural = pgettext_lazy("plural", "保存的视图")
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="saved_view_name")]

    def __str__(self) -> str:
        return self.name

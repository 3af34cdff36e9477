"""What we own: skills and qualifications a device demands, groups with fault tiles, types, and each single device."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransitionMixin, FSMField, transition
from simple_history.models import HistoricalRecords

from assets.places.models import Department, Location
from config.kernel.models import Bilingual, PublicIdField


class Criticality(models.TextChoices):
    """Domain 2.1."""

    C1 = "C1", _("C1 生命支持与急救")
    C2 = "C2", _("C2 手术介入与唯一设备")
    C3 = "C3", _("C3 有备用的诊疗设备")
    C4 = "C4", _("C4 其他")


class Danger(models.TextChoices):
    """What makes a device unsafe to leave in place; one is enough to put it out of use."""

    SMOKE = "smoke", _("冒烟 / 焦味")
    SHOCK = "shock", _("漏电 / 麻手")
    INJURY = "injury", _("有人受伤")
    LEAK = "leak", _("漏气 / 漏液")


class Skill(Bilingual):
    """What an engineer must be able to do, e.g. `respiratory`."""

    code = models.SlugField(_("代码"), unique=True, max_length=30)

    class Meta:
        verbose_name = pgettext_lazy("one", "技能")
        verbose_name_plural = pgettext_lazy("plural", "技能")
        ordering: ClassVar = ["code"]


class Qualification(Bilingual):
    """A card with an expiry date, e.g. R1 or RAD (domain 2.5)."""

    code = models.SlugField(_("代码"), unique=True, max_length=20)
    validity_months = models.PositiveSmallIntegerField(_("有效月数"), null=True, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "资质")
        verbose_name_plural = pgettext_lazy("plural", "资质")
        ordering: ClassVar = ["code"]


class DeviceGroup(Bilingual):
    """A family that shares fault tiles and the first-aid card (the 15 groups of domain 3.3 and `general`).

    `first_aid` is `{"zh": {"title", "steps": [..]}, "en": {...}}`.
    """

    code = models.SlugField(_("代码"), unique=True, max_length=30)
    icon = models.CharField(_("图标"), max_length=30, default="cpu")
    first_aid = models.JSONField(_("急救卡"), default=dict, blank=True)
    history = HistoricalRecords(related_name="log")

    class Meta:
        verbose_name = pgettext_lazy("one", "设备大类")
        verbose_name_plural = pgettext_lazy("plural", "设备大类")
        ordering: ClassVar = ["code"]

    def first_aid_card(self) -> dict[str, object]:
        """`{"title", "steps"}` in the active language; empty when there is none."""
        language = "en" if (get_language() or "").startswith("en") else "zh"
        return self.first_aid.get(language) or self.first_aid.get("zh") or {}


class FaultPreset(Bilingual):
    """One fault tile. `name` may hold one line break for the tile."""

    class Impact(models.TextChoices):
        I1 = "I1", _("I1 危及患者")
        I2 = "I2", _("I2 诊疗中断且无替代")
        I3 = "I3", _("I3 有替代或降级可用")
        I4 = "I4", _("I4 不影响诊疗")

    group = models.ForeignKey(DeviceGroup, models.CASCADE, related_name="presets", verbose_name=_("设备大类"))
    code = models.SlugField(_("代码"), unique=True, max_length=40)
    icon = models.CharField(_("图标"), max_length=30, default="circle-alert")
    order = models.PositiveSmallIntegerField(_("顺序"), default=0)
    category = models.SlugField(_("故障类别"), max_length=30, default="other")
    default_impact = models.CharField(_("默认影响"), max_length=2, choices=Impact.choices, default=Impact.I3)
    default_danger = models.JSONField(_("默认危险标志"), default=list, blank=True)
    hint = models.CharField(_("自查提示"), max_length=200, blank=True)
    hint_en = models.CharField(_("自查提示（英文）"), max_length=200, blank=True)
    part = models.CharField(_("可能的配件"), max_length=80, blank=True)
    part_en = models.CharField(_("可能的配件（英文）"), max_length=80, blank=True)
    skill = models.ForeignKey(
        Skill, models.PROTECT, null=True, blank=True, related_name="presets", verbose_name=_("技能")
    )
    minutes = models.PositiveSmallIntegerField(_("平均维修分钟"), default=45)
    active = models.BooleanField(_("启用"), default=True)
    history = HistoricalRecords(related_name="log")

    class Meta:
        verbose_name = pgettext_lazy("one", "故障项")
        verbose_name_plural = pgettext_lazy("plural", "故障项")
        ordering: ClassVar = ["group", "order"]

    @property
    def flat_label(self) -> str:
        """The label on one line."""
        return self.label.replace("\n", " " if self.label.isascii() else "")

    @property
    def part_label(self) -> str:
        """The part that this fault often needs, in the active language; empty when none is known."""
        return (self.part_en if (get_language() or "").startswith("en") else "") or self.part


class DeviceType(Bilingual):
    """A model family: what it is, how much depends on it, who may repair it."""

    group = models.ForeignKey(DeviceGroup, models.PROTECT, related_name="types", verbose_name=_("设备大类"))
    product_code = models.CharField(_("FDA 产品代码"), max_length=3, blank=True)
    catalog_code = models.CharField(_("分类目录编码"), max_length=20, blank=True)
    criticality = models.CharField(_("关键等级"), max_length=2, choices=Criticality.choices, default=Criticality.C3)
    life_support = models.BooleanField(_("生命支持"), default=False)
    first_aid = models.BooleanField(_("急救设备"), default=False)
    high_risk = models.BooleanField(_("高风险"), default=False)
    required_skill = models.ForeignKey(
        Skill, models.PROTECT, null=True, blank=True, related_name="device_types", verbose_name=_("所需技能")
    )
    required_qualification = models.ForeignKey(
        Qualification, models.PROTECT, null=True, blank=True, related_name="device_types", verbose_name=_("所需资质")
    )
    em_function = models.PositiveSmallIntegerField(_("EM 功能分"), default=5)
    em_risk = models.PositiveSmallIntegerField(_("EM 风险分"), default=2)
    em_maintenance = models.PositiveSmallIntegerField(_("EM 维护分"), default=3)
    protection_class = models.CharField(_("防护分类"), max_length=2, blank=True)
    applied_part = models.CharField(_("应用部分"), max_length=2, blank=True)
    history = HistoricalRecords(related_name="log")

    class Meta:
        verbose_name = pgettext_lazy("one", "设备类型")
        verbose_name_plural = pgettext_lazy("plural", "设备类型")
        ordering: ClassVar = ["name"]


class DeviceStatus(models.TextChoices):
    """Domain 1.2."""

    PENDING_ACCEPTANCE = "pending_acceptance", _("待验收")
    READY = "ready", _("待用")
    IN_USE = "in_use", _("在用")
    FAULT = "fault", _("故障停用")
    IN_REPAIR = "in_repair", _("维修中")
    PENDING_VERIFICATION = "pending_verification", _("待检")
    RESTRICTED = "restricted", _("限用")
    PM_DUE_HOLD = "pm_due_hold", _("保养到期停用")
    QUARANTINED = "quarantined", _("召回隔离")
    ON_LOAN = "on_loan", _("借出")
    OFF_SITE = "off_site", _("外修")
    MISSING = "missing", _("盘亏")
    STANDBY = "standby_reserve", _("备用")
    PENDING_DISPOSAL = "pending_disposal", _("待报废")
    RETIRED = "retired", _("已报废")


S = DeviceStatus
USABLE = (S.READY, S.IN_USE, S.RESTRICTED, S.STANDBY, S.ON_LOAN)
READY_TO_LEND = (S.READY, S.STANDBY)
LIVING = [s for s in S if s != S.RETIRED]


def awaits_repair() -> models.Exists:
    """Whether a device has an open ticket. Asked so, and not by a join, SQLite finds it in the small index of these."""
    tickets: Any = Device._meta.get_field("tickets").related_model
    return models.Exists(tickets.objects.filter(device=models.OuterRef("pk"), ended_at__isnull=True))


class DeviceQuerySet(models.QuerySet["Device"]):
    """Reads as English."""

    def for_display(self) -> DeviceQuerySet:
        return self.select_related("type__group", "department", "location")

    def ready_to_lend(self) -> DeviceQuerySet:
        """What may stand in for another: it stands ready, and nobody has reported a fault on it."""
        return self.filter(~awaits_repair(), status__in=READY_TO_LEND)

    def with_ready_others(self) -> DeviceQuerySet:
        """Each row with `ready_others`: how many others of its backup group stand ready, where that matters."""
        others = (
            Device.objects.ready_to_lend()
            .filter(backup_group=models.OuterRef("backup_group"))
            .exclude(pk=models.OuterRef("pk"))
            .order_by()
            .values("backup_group")
            .annotate(ready=models.Count("pk"))
            .values("ready")
        )
        counted = models.When(~models.Q(backup_group=""), min_ready__gt=0, then=Coalesce(models.Subquery(others), 0))
        return self.annotate(ready_others=models.Case(counted, default=0))

    def living(self) -> DeviceQuerySet:
        return self.exclude(status=S.RETIRED)


class Device(ConcurrentTransitionMixin, models.Model):
    """One machine in the register (设备台账, domain 1.1). `status` moves only through its edges."""

    public_id = PublicIdField()
    asset_no = models.CharField(_("资产编号"), max_length=30, unique=True)
    short_code = models.CharField(_("短码"), max_length=8, unique=True, null=True, blank=True)
    qr_version = models.PositiveIntegerField(_("二维码版本"), default=1)
    type = models.ForeignKey(DeviceType, models.PROTECT, related_name="devices", verbose_name=_("设备类型"))
    name = models.CharField(_("设备名称"), max_length=120)
    name_en = models.CharField(_("英文名称"), max_length=120, blank=True)
    model = models.CharField(_("型号"), max_length=60, blank=True)
    spec = models.CharField(_("规格"), max_length=120, blank=True)
    manufacturer = models.CharField(_("生产企业"), max_length=120, blank=True)
    registrant = models.CharField(_("注册人"), max_length=120, blank=True)
    agent = models.CharField(_("代理人"), max_length=120, blank=True)
    serial_no = models.CharField(_("序列号"), max_length=60, blank=True)
    lot_no = models.CharField(_("批号"), max_length=60, blank=True)
    sw_version = models.CharField(_("软件版本"), max_length=40, blank=True)
    udi_di = models.CharField(_("UDI-DI"), max_length=40, blank=True, db_index=True)
    udi_pi = models.CharField(_("UDI-PI"), max_length=120, blank=True)
    udi_agency = models.CharField(
        _("发码机构"), max_length=3, blank=True, choices=[("GS1", "GS1"), ("MA", "MA"), ("AHM", "AHM")]
    )
    reg_cert_no = models.CharField(_("注册证号"), max_length=40, blank=True)
    reg_cert_expires_on = models.DateField(_("注册证有效期"), null=True, blank=True)
    class_cn = models.CharField(_("管理类别"), max_length=3, blank=True, choices=[(c, c) for c in ("Ⅰ", "Ⅱ", "Ⅲ")])
    finance_code = models.CharField(_("固定资产分类码"), max_length=20, blank=True)
    department = models.ForeignKey(Department, models.PROTECT, related_name="devices", verbose_name=_("使用科室"))
    location = models.ForeignKey(Location, models.PROTECT, related_name="devices", verbose_name=_("位置"))
    criticality = models.CharField(_("关键等级"), max_length=2, choices=Criticality.choices, default=Criticality.C3)
    backup_group = models.CharField(_("备用组"), max_length=40, blank=True, db_index=True)
    min_ready = models.PositiveSmallIntegerField(_("最低待用数"), default=0)
    self_test_at = models.DateTimeField(_("最近自检合格"), null=True, blank=True)
    status = FSMField(_("状态"), default=S.READY, choices=S.choices, protected=True, db_index=True)
    status_reason = models.CharField(_("状态原因"), max_length=200, blank=True)
    status_since = models.DateTimeField(_("状态起始"), null=True, blank=True)
    price = models.DecimalField(_("价格（元）"), max_digits=12, decimal_places=2, null=True, blank=True)
    purchased_on = models.DateField(_("购置日期"), null=True, blank=True)
    accepted_on = models.DateField(_("验收日期"), null=True, blank=True)
    life_years = models.PositiveSmallIntegerField(_("使用年限"), null=True, blank=True)
    warranty_ends_on = models.DateField(_("保修到期"), null=True, blank=True)
    contract_no = models.CharField(_("维保合同号"), max_length=40, blank=True)
    coverage = models.CharField(
        _("保障范围"),
        max_length=10,
        blank=True,
        choices=[("full", _("全保")), ("tech", _("技术保")), ("labour", _("人工保"))],
    )
    vendor_contact = models.CharField(_("厂家联系"), max_length=120, blank=True)
    retain_until = models.DateField(_("档案保存至"), null=True, blank=True)
    created_at = models.DateTimeField(_("登记时间"), auto_now_add=True)
    updated_at = models.DateTimeField(_("更新时间"), auto_now=True)
    history = HistoricalRecords(related_name="log")

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("one", "设备")
        verbose_name_plural = _("设备台账")
        ordering: ClassVar = ["asset_no"]
        constraints = [
            models.UniqueConstraint(
                fields=["manufacturer", "model", "serial_no"],
                condition=~models.Q(serial_no=""),
                name="device_serial_per_model",
            ),
            models.CheckConstraint(condition=models.Q(status__in=S.values), name="device_status_known"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """Name and model as people say it: 呼吸机 HV-300."""
        english = (get_language() or "").startswith("en") and self.name_en
        return f"{self.name_en if english else self.name} {self.model}".strip()

    @property
    def usable(self) -> bool:
        return self.status in USABLE

    @transition(status, source=[s for s in LIVING if s not in (S.FAULT, S.QUARANTINED)], target=S.FAULT)
    def to_fault(self) -> None:
        """Out of use at once."""

    @transition(status, source=[S.FAULT, *USABLE, S.PENDING_VERIFICATION, S.OFF_SITE], target=S.IN_REPAIR)
    def to_repair(self) -> None:
        """An engineer has it on the bench."""

    @transition(status, source=[S.IN_REPAIR, S.OFF_SITE, S.FAULT], target=S.PENDING_VERIFICATION)
    def to_verification(self) -> None:
        """Repaired, test and release outstanding."""

    @transition(
        status,
        source=[S.PENDING_VERIFICATION, S.IN_REPAIR, S.FAULT, S.PENDING_ACCEPTANCE, S.PM_DUE_HOLD, S.ON_LOAN,
                S.IN_USE, S.RESTRICTED, S.STANDBY, S.MISSING, S.OFF_SITE],
        target=S.READY,
    )  # fmt: skip
    def to_ready(self) -> None:
        """Released: safe to use."""

    @transition(status, source=[S.READY, S.RESTRICTED, S.STANDBY], target=S.IN_USE)
    def to_in_use(self) -> None:
        """On a patient."""

    @transition(
        status,
        source=[s for s in LIVING if s not in (S.RESTRICTED, S.QUARANTINED, S.MISSING, S.PENDING_DISPOSAL)],
        target=S.RESTRICTED,
    )
    def to_restricted(self) -> None:
        """Usable within a stated limit."""

    @transition(status, source=LIVING, target=S.QUARANTINED)
    def to_quarantine(self) -> None:
        """Held by a recall."""

    @transition(status, source=[S.QUARANTINED], target=S.PENDING_VERIFICATION)
    def from_quarantine(self) -> None:
        """The recall is dealt with; test before use."""

    @transition(status, source=[S.FAULT, S.IN_REPAIR], target=S.OFF_SITE)
    def to_off_site(self) -> None:
        """Sent out for repair."""

    @transition(status, source=[S.READY, S.STANDBY], target=S.ON_LOAN)
    def to_loan(self) -> None:
        """Lent to another ward."""

    @transition(status, source=[S.READY], target=S.STANDBY)
    def to_standby(self) -> None:
        """Kept aside as a reserve."""

    @transition(status, source=[S.READY, S.IN_USE, S.STANDBY, S.RESTRICTED], target=S.PM_DUE_HOLD)
    def to_pm_hold(self) -> None:
        """Maintenance is overdue: not to be used until it is done."""

    @transition(status, source=[s for s in LIVING if s != S.MISSING], target=S.MISSING)
    def to_missing(self) -> None:
        """Not found at stocktaking."""

    @transition(status, source=[s for s in LIVING if s != S.PENDING_DISPOSAL], target=S.PENDING_DISPOSAL)
    def to_pending_disposal(self) -> None:
        """Proposed for retirement."""

    @transition(status, source=[S.PENDING_DISPOSAL], target=S.RETIRED)
    def to_retired(self) -> None:
        """Written off; the row stays."""

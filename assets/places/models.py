"""Where things stand and who is there: locations, departments, people, accounts."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from config.kernel.models import Bilingual, EncryptedTextField, PublicIdField


class Location(Bilingual):
    """A node of the tree campus > building > floor > room > bed. Position is metres on the site plan and floor number.

    `path_zh`/`path_en` ("外科楼 5 层 3 床") are kept by `places.services.settle`, so that no list walks the tree.
    """

    class Kind(models.TextChoices):
        CAMPUS = "campus", _("院区")
        BUILDING = "building", _("楼")
        FLOOR = "floor", _("层")
        ROOM = "room", _("房间")
        BED = "bed", _("床")

    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("上级")
    )
    kind = models.CharField(_("类别"), max_length=10, choices=Kind.choices)
    code = models.CharField(_("编码"), max_length=40, unique=True)
    x = models.FloatField(_("东西坐标（米）"), default=0)
    y = models.FloatField(_("南北坐标（米）"), default=0)
    floor = models.SmallIntegerField(_("楼层"), default=1)
    building_code = models.CharField(_("所在楼"), max_length=40, blank=True, db_index=True)
    path_zh = models.CharField(_("完整位置"), max_length=200, blank=True)
    path_en = models.CharField(_("完整位置（英文）"), max_length=200, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "位置")
        verbose_name_plural = pgettext_lazy("plural", "位置")
        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        return self.path

    def clean(self) -> None:
        above = self.parent
        while above is not None and self.pk:
            if above.pk == self.pk:
                raise ValidationError({"parent": _("这个位置不能在它自己里面。")})
            above = above.parent

    @property
    def path(self) -> str:
        """The full place in the active language."""
        if (get_language() or "").startswith("en") and self.path_en:
            return self.path_en
        return self.path_zh or self.name


class Department(Bilingual):
    """A ward or department: whose device it is, which number to call."""

    code = models.SlugField(_("科室代码"), max_length=20, unique=True)
    extension = models.CharField(_("分机"), max_length=13, blank=True)
    location = models.ForeignKey(
        Location, models.PROTECT, null=True, blank=True, related_name="departments", verbose_name=_("位置")
    )
    is_clinical = models.BooleanField(_("临床科室"), default=True)
    history = HistoricalRecords(related_name="log")

    class Meta:
        verbose_name = pgettext_lazy("one", "科室")
        verbose_name_plural = pgettext_lazy("plural", "科室")
        ordering: ClassVar = ["code"]


class Person(models.Model):
    """The erasable side of the log: events carry only `public_id`; name and phone live here and can be wiped."""

    class Kind(models.TextChoices):
        STAFF = "staff", _("员工")
        REPORTER = "reporter", _("报修人")

    public_id = PublicIdField()
    kind = models.CharField(_("类别"), max_length=10, choices=Kind.choices, default=Kind.STAFF)
    name = EncryptedTextField(_("姓名"), blank=True)
    phone = EncryptedTextField(_("电话"), blank=True)
    department = models.ForeignKey(
        Department, models.SET_NULL, null=True, blank=True, related_name="people", verbose_name=_("科室")
    )
    created_at = models.DateTimeField(_("登记时间"), auto_now_add=True)
    erased_at = models.DateTimeField(_("清除时间"), null=True, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "人员")
        verbose_name_plural = pgettext_lazy("plural", "人员")

    def __str__(self) -> str:
        return self.name or str(_("已清除"))


class AccountManager(UserManager["User"]):
    """Accounts always come with their person row."""

    def create_user(self, username: str, email: str | None = None, password: str | None = None, **extra: Any) -> User:
        """An account with its person row; every way to make one goes through here."""
        if "person" not in extra:
            extra["person"] = Person.objects.create(name=extra.get("display_name") or username)
        return super().create_user(username, email, password, **extra)

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> User:
        """An administrator by role; the superuser flag stays off, since rights follow from the role."""
        return self.create_user(username, email, password, **(extra | {"role": User.Role.ADMIN, "is_staff": True}))


class User(AbstractUser):
    """A sign-in. What it may do follows from `role` (policies), not from rows of permissions."""

    class Role(models.TextChoices):
        NURSE = "nurse", _("病区")
        ENGINEER = "engineer", _("工程师")
        DISPATCHER = "dispatcher", _("调度")
        MANAGER = "manager", _("科长")
        ADMIN = "admin", _("系统管理员")

    role = models.CharField(_("角色"), max_length=12, choices=Role.choices, default=Role.NURSE)
    person = models.OneToOneField(Person, models.PROTECT, related_name="user", verbose_name=_("人员"))
    display_name = models.CharField(_("姓名"), max_length=60, blank=True)
    display_name_en = models.CharField(_("英文姓名"), max_length=60, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="staff", verbose_name=_("科室")
    )
    extension = models.CharField(_("分机"), max_length=13, blank=True)

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        verbose_name = pgettext_lazy("one", "账号")
        verbose_name_plural = pgettext_lazy("plural", "账号")

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """Full name in the active language."""
        if (get_language() or "").startswith("en") and self.display_name_en:
            return self.display_name_en
        return self.display_name or self.username

    @property
    def short_name(self) -> str:
        """What wards see of staff: 李工 for an engineer; in English the surname only."""
        if (get_language() or "").startswith("en") and self.display_name_en:
            return self.display_name_en.split()[-1]
        name = self.display_name or self.username
        return f"{name[:1]}工" if self.role == self.Role.ENGINEER else name

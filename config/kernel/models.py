"""Abstract bases and the kernel's own tables: event log, leases, timers, idempotency records, heartbeats."""

from __future__ import annotations

import base64
import hashlib
import secrets
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


def new_public_id() -> str:
    """128 random bits as 22 base64url characters: unguessable, usable in URLs (security.md X1). Never with `-` in front,
    which a command such as `manage.py erase_person` would take for an option."""
    while (drawn := base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode("ascii")).startswith("-"):
        pass
    return drawn


class PublicIdField(models.CharField[str, str]):
    """A unique, random, URL-safe 128-bit id; the primary key never leaves the house."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 22)
        kwargs.setdefault("unique", True)
        kwargs.setdefault("default", new_public_id)
        kwargs.setdefault("editable", False)
        kwargs.setdefault("verbose_name", _("公开标识"))
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """`unique=False` must survive: a history table holds one id many times."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"unique": self.unique}


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    """Made once for a set of keys: a dispatch round unseals the names of every engineer."""
    digests = [base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()) for key in keys]
    return MultiFernet([Fernet(digest) for digest in digests])


def seal(text: str) -> str:
    """Authenticated encryption with the first of `FIELD_KEYS`."""
    return _cipher(tuple(settings.FIELD_KEYS)).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """What was sealed with any of `FIELD_KEYS`; ValueError when none of them opens it."""
    try:
        return _cipher(tuple(settings.FIELD_KEYS)).decrypt(sealed.encode("ascii")).decode()
    except InvalidToken as error:
        raise ValueError("no key opens this") from error


class EncryptedTextField(models.TextField[str, str]):
    """Text at rest under authenticated encryption (first of `FIELD_KEYS`; older keys still decrypt)."""

    def get_prep_value(self, value: Any) -> Any:
        if not value:
            return ""
        return seal(str(value))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if not value:
            return value
        try:
            return unseal(value)
        except ValueError:
            # A lost key must not take the page down with it; the value is unreadable, the ticket is not.
            return ""


class Bilingual(models.Model):
    """A row that people read: Chinese name first, English beside it."""

    name = models.CharField(_("名称"), max_length=120)
    name_en = models.CharField(_("英文名称"), max_length=120, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the active language; Chinese where no English was entered."""
        if (get_language() or "").startswith("en") and self.name_en:
            return self.name_en
        return self.name


class EventRecord(models.Model):
    """One fact of the append-only log. `seq` and `hash` are given by the sequencer after commit, never changed after."""

    seq = models.BigIntegerField(_("序号"), null=True, unique=True, editable=False)
    type = models.CharField(_("事件"), max_length=60)
    at = models.DateTimeField(_("时间"))
    by = models.CharField(_("操作者"), max_length=40)
    subject = models.CharField(_("对象"), max_length=60)
    scope = models.CharField(_("科室范围"), max_length=40, blank=True)
    data = models.JSONField(_("内容"), default=dict)
    hash = models.CharField(_("哈希"), max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("事件")
        verbose_name_plural = _("事件日志")
        indexes = [
            models.Index(fields=["id"], name="event_unsequenced", condition=models.Q(seq__isnull=True)),
            models.Index(fields=["subject", "seq"], name="event_subject_seq"),
            models.Index(fields=["scope", "seq"], name="event_scope_seq"),
            models.Index(fields=["by", "seq"], name="event_by_seq"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.type} {self.subject}"


class Lease(models.Model):
    """Who leads a single-leader duty. Taken by a guarded UPDATE against the database's own clock."""

    name = models.CharField(max_length=40, primary_key=True)
    holder = models.CharField(max_length=80)
    beat_at = models.DateTimeField()

    class Meta:
        verbose_name = _("领导租约")
        verbose_name_plural = _("领导租约")

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"


class Heartbeat(models.Model):
    """Last sign of life of a process kind, for /readyz."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("心跳")
        verbose_name_plural = _("心跳")

    def __str__(self) -> str:
        return f"{self.name} {self.at:%H:%M:%S}"


class Timer(models.Model):
    """A deadline that the clock process keeps to the second; firing deletes the row in the handler's transaction."""

    key = models.CharField(max_length=120, unique=True)
    fire_at = models.DateTimeField(db_index=True)
    call = models.CharField(max_length=120)
    args = models.JSONField(default=list)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("定时器")
        verbose_name_plural = _("定时器")

    def __str__(self) -> str:
        return f"{self.key} {self.fire_at:%m-%d %H:%M:%S}"


class IdempotencyRecord(models.Model):
    """The answer given for a client's operation id: the same call again gets the same answer, never a second effect."""

    scope = models.CharField(max_length=80)
    key = models.CharField(max_length=80)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("幂等记录")
        verbose_name_plural = _("幂等记录")
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="idempotency_scope_key")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"

"""Every fact this app announces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from config.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class DeviceStatusChanged(Event):
    about: ClassVar[str] = "device"

    device: str
    previous: str
    status: str


@dataclass(frozen=True, kw_only=True)
class DeviceQrRotated(Event):
    about: ClassVar[str] = "device"

    device: str
    version: int


@dataclass(frozen=True, kw_only=True)
class RegisterImported(Event):
    about: ClassVar[str] = "import_id"

    import_id: str
    created: int
    updated: int


@dataclass(frozen=True, kw_only=True)
class PersonErased(Event):
    about: ClassVar[str] = "person"

    person: str


@dataclass(frozen=True, kw_only=True)
class PasswordGuessed(Event):
    """So many wrong passwords that further ones are no longer looked at."""

    about: ClassVar[str] = "person"

    person: str
    guesses: int

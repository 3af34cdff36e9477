"""The register from a table: staged, previewed row by row, then written whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.translation import gettext as _
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from assets.events import RegisterImported
from assets.places.models import Department, Location, Person, User
from assets.register.adapters import tables
from assets.register.models import Criticality, Device, DeviceType
from assets.register.services.exchange import COLUMNS, free_short_codes
from config.kernel.errors import Conflict, Invalid, NotAllowedNow
from config.kernel.events import publish
from config.kernel.models import new_public_id
from config.kernel.moments import is_sane

REQUIRED: Final = ("asset_no", "name", "type", "department", "location")
REFERENCES: Final = ("type", "department", "location")
STAGED_FOR: Final = timedelta(hours=1)
_FOLDER: Final = "imports"
_BATCH: Final = 500


def _price(value: str) -> Decimal | None:
    number = Decimal(value.replace(",", "")) if value else None
    if number is not None and not (number.is_finite() and 0 <= number < 10**10):
        raise ValueError(value)
    return number


def _day(value: str) -> date | None:
    day = date.fromisoformat(value[:10].replace("/", "-")) if value else None
    if day is not None and not is_sane(day):
        raise ValueError(value)
    return day


_TEXTS: Final = ("name", "name_en", "model", "serial_no", "manufacturer", "backup_group", "udi_di", "contract_no")
_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    **dict.fromkeys(_TEXTS, str),
    "criticality": lambda value: Criticality(value).value if value else "",
    "min_ready": lambda value: int(value or 0),
    "price": _price,
    "purchased_on": _day,
    "warranty_ends_on": _day,
}


@dataclass
class Line:
    """One row of the file: `change` is new, changed, same or wrong; `fields` are those that would change."""

    number: int
    asset_no: str
    name: str
    change: str
    fields: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    device: Device | None = None


@dataclass
class Preview:
    """What an import would do, row by row, with the row numbers of the file (the header is 1)."""

    lines: list[Line] = field(default_factory=list)

    def having(self, change: str) -> list[Line]:
        return [line for line in self.lines if line.change == change]

    @property
    def errors(self) -> dict[int, list[str]]:
        return {line.number: line.errors for line in self.lines if line.errors}

    @property
    def created(self) -> int:
        return len(self.having("new"))

    @property
    def updated(self) -> int:
        return len(self.having("changed"))


def stage_import(name: str, content: bytes, *, by: User, at: datetime) -> str:
    """The file is kept for an hour for this account; the token opens its preview and its import. No register: Invalid."""
    forget_staged(at=at)
    _rows(name, content)
    path = default_storage.save(f"{_FOLDER}/{secrets.token_hex(16)}", ContentFile(content))
    return signing.dumps({"path": path, "name": name[:100], "user": by.pk}, salt=_FOLDER)


def preview_staged(token: str, *, by: User) -> Preview:
    """The staged file against the register as it is now."""
    return preview_import(*_staged(token, by))


def apply_staged(token: str, *, by: User, at: datetime) -> Preview:
    """Every row of the staged file is written, or none; the file is gone afterwards. `RegisterImported`."""
    name, content = _staged(token, by)
    preview = preview_import(name, content)
    apply_import(preview, by=by, at=at)
    default_storage.delete(_path(token, by))
    return preview


def _staged(token: str, by: User) -> tuple[str, bytes]:
    path = _path(token, by)
    if not default_storage.exists(path):
        raise NotAllowedNow(_("这次导入已完成或已过期，再选一次文件。"))
    with default_storage.open(path) as kept:
        return signing.loads(token, salt=_FOLDER)["name"], kept.read()


def _path(token: str, by: User) -> str:
    try:
        ticket = signing.loads(token, salt=_FOLDER, max_age=STAGED_FOR)
    except signing.BadSignature as error:
        raise NotAllowedNow(_("这次导入已完成或已过期，再选一次文件。")) from error
    if ticket["user"] != by.pk:
        raise NotAllowedNow(_("这次导入已完成或已过期，再选一次文件。"))
    return str(ticket["path"])


def forget_staged(*, at: datetime) -> int:
    """No file staged more than an hour ago is left; how many went."""
    if not default_storage.exists(_FOLDER):
        return 0
    paths = [f"{_FOLDER}/{name}" for name in default_storage.listdir(_FOLDER)[1]]
    old = [path for path in paths if default_storage.get_modified_time(path) < at - STAGED_FOR]
    for path in old:
        default_storage.delete(path)
    return len(old)


def preview_import(name: str, content: bytes) -> Preview:
    """Read and judge every row without writing anything. Invalid when it is no readable table."""
    rows = _rows(name, content)
    judge = _Judge(rows)
    return Preview([judge.line(number, row) for number, row in enumerate(rows, start=2) if any(row.values())])


def _rows(name: str, content: bytes) -> list[dict[str, str]]:
    rows = [_by_key(row) for row in tables.read_table(name, content)]
    if not any(any(row.values()) for row in rows):
        raise Invalid(_("表里没有内容。"))
    if missing := [column for column in REQUIRED if column not in rows[0]]:
        raise Invalid(_("缺少列：%(names)s。") % {"names": "、".join(_title(column) for column in missing)})
    return rows


def _title(column: str) -> str:
    return str(Device._meta.get_field(column).verbose_name)


def _by_key(row: Mapping[str, str]) -> dict[str, str]:
    """Columns by their key, whether the header says `asset_no` or 资产编号."""
    keys = {_title(column): column for column in COLUMNS}
    return {keys.get(name, name): value for name, value in row.items()}


class _Judge:
    """All that rows are checked against, read once for the whole file."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self.known = {
            "type": _named(DeviceType.objects.all(), "name", "name_en"),
            "department": _named(Department.objects.all(), "code", "name"),
            "location": _named(Location.objects.all(), "code", "path_zh"),
        }
        numbers = [row["asset_no"] for row in rows if row["asset_no"]]
        self.devices: dict[str, Device] = Device.objects.in_bulk(numbers, field_name="asset_no")
        serials = {row.get("serial_no", "") for row in rows} - {""}
        same = Device.objects.filter(serial_no__in=serials).values_list(
            "manufacturer", "model", "serial_no", "asset_no"
        )
        self.plates = {tuple(plate): asset_no for *plate, asset_no in same}
        self.seen: set[str] = set()

    def line(self, number: int, row: Mapping[str, str]) -> Line:
        device = self.devices.get(row["asset_no"]) or Device(asset_no=row["asset_no"])
        before = {
            column: getattr(device, f"{column}_id" if column in REFERENCES else column) for column in _written(row)
        }
        line = Line(number, row["asset_no"], row["name"], "", device=device)
        line.errors = [*self._twice(row), *self._fill(device, row)]
        line.errors += self._invalid(device) if not line.errors else []
        line.fields = [c for c in before if before[c] != getattr(device, f"{c}_id" if c in REFERENCES else c)]
        line.change = "wrong" if line.errors else "new" if device.pk is None else "changed" if line.fields else "same"
        return line

    def _twice(self, row: Mapping[str, str]) -> list[str]:
        asset_no = row["asset_no"]
        if asset_no and asset_no in self.seen:
            return [_("资产编号 %(no)s 在文件里出现两次。") % {"no": asset_no}]
        self.seen.add(asset_no)
        return []

    def _fill(self, device: Device, row: Mapping[str, str]) -> list[str]:
        wrong = []
        for column in REFERENCES:
            found = self.known[column].get(row[column])
            if found is None:
                wrong.append(
                    _("%(column)s“%(value)s”不存在或不唯一。") % {"column": _title(column), "value": row[column][:60]}
                )
            else:
                setattr(device, column, found)
        for column in _written(row):
            if column in _READERS:
                try:
                    setattr(device, column, _READERS[column](row[column]))
                except (ValueError, InvalidOperation):
                    wrong.append(
                        _("%(column)s“%(value)s”读不懂。") % {"column": _title(column), "value": row[column][:60]}
                    )
        if not device.criticality and device.type_id:
            device.criticality = device.type.criticality
        return wrong

    def _invalid(self, device: Device) -> list[str]:
        """A row valid alone (lengths, choices), then its plate: one serial number per maker and model."""
        try:
            device.clean_fields(exclude={*REFERENCES, "status", "short_code", "public_id"})
        except ValidationError as error:
            return [f"{_title(name)}：{' '.join(texts)}" for name, texts in error.message_dict.items()]
        plate = (device.manufacturer, device.model, device.serial_no)
        if device.serial_no and self.plates.setdefault(plate, device.asset_no) != device.asset_no:
            return [_("序列号 %(no)s 已属于 %(other)s。") % {"no": device.serial_no, "other": self.plates[plate]}]
        return []


def _written(row: Mapping[str, str]) -> list[str]:
    """Columns of the file that an import writes; asset number and status are not among them."""
    return [column for column in row if column in REFERENCES or column in _READERS]


def _named(rows: Iterable[Model], *names: str) -> dict[str, Any]:
    """Rows by each of their names; a name that two rows share leads to none."""
    found: dict[str, Any] = {}
    for row in rows:
        for text in {str(getattr(row, name)) for name in names} - {""}:
            found[text] = None if text in found else row
    return found


def apply_import(preview: Preview, *, by: User | Person | None, at: datetime) -> int:
    """Write every new and changed row of a preview without errors, or none; how many. `RegisterImported`.

    Invalid while a row is wrong; Conflict when the register changed since the preview.
    """
    if preview.errors:
        raise Invalid(_("有 %(n)s 行要改，没有写入任何一行。") % {"n": len(preview.errors)})
    try:
        with transaction.atomic():
            _write(preview, by=by, at=at)
    except IntegrityError as error:
        raise Conflict(_("台账刚被别人改过，没有写入任何一行。再看一次预览。")) from error
    return preview.created + preview.updated


def _write(preview: Preview, *, by: User | Person | None, at: datetime) -> None:
    new = [line.device for line in preview.having("new") if line.device]
    changed = preview.having("changed")
    for device, code in zip(new, free_short_codes(len(new)), strict=True):
        device.short_code = code
    author = by if isinstance(by, User) else None
    if new:
        bulk_create_with_history(new, Device, batch_size=_BATCH, default_user=author, default_date=at)
    if changed:
        devices = [line.device for line in changed if line.device]
        for device in devices:
            device.updated_at = at
        names = sorted({"updated_at", *(name for line in changed for name in line.fields)})
        bulk_update_with_history(devices, Device, names, batch_size=_BATCH, default_user=author, default_date=at)
    person = by.person if isinstance(by, User) else by
    publish(
        RegisterImported(
            at=at,
            by=person.public_id if person else "system",
            import_id=new_public_id(),
            created=len(new),
            updated=len(changed),
        )
    )

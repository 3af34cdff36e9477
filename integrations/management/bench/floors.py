"""The least that the database can do: the bare driver, with the same durability as Wardline's own connection."""

from __future__ import annotations

import json
import sqlite3
import uuid
from datetime import datetime
from typing import Any

import psycopg
from django.db import connection, models
from django.utils import timezone

from config.kernel.models import EventRecord
from tickets.models import Clock, Ticket, Watcher

# All that the answer says of a ticket itself, with three joins; the same with the places and clocks it says too.
_TICKET = (
    "t.id, t.public_id, t.number, t.state, t.priority, t.in_use, t.danger, t.description, t.impact, t.criticality,"
    " t.priority_reasons, t.eta_at, t.reported_at, t.tracking_token, t.needs_callback, t.version, t.repeat_of_id,"
    " t.duplicate_of_id, t.parent_id, d.public_id, d.name, d.name_en, d.model, p.code, p.name, p.name_en, u.username,"
    " u.display_name, u.display_name_en, u.role"
)
_JOINS = (
    " FROM tickets_ticket t LEFT JOIN assets_device d ON d.id = t.device_id"
    " JOIN assets_department p ON p.id = t.department_id LEFT JOIN assets_user u ON u.id = t.assignee_id"
)
LIST = f"SELECT {_TICKET}{_JOINS} ORDER BY t.id DESC LIMIT 50"
WHOLE = (
    f"SELECT {_TICKET}, l.name, l.path_zh, l.path_en, f.code, f.name, f.name_en{_JOINS}"
    " LEFT JOIN assets_location l ON l.id = t.location_id LEFT JOIN assets_faultpreset f ON f.id = t.preset_id"
    " ORDER BY t.id DESC LIMIT 50"
)


class Driver:
    """A connection of the bare driver to the database in use, and rows copied from a real ticket to write again."""

    def __init__(self) -> None:
        given = connection.settings_dict
        self.mark = "?" if connection.vendor == "sqlite" else "%s"
        self.link: Any
        if connection.vendor == "sqlite":
            name = str(given["NAME"])
            self.link = sqlite3.connect(name, timeout=20, isolation_level=None, uri=name.startswith("file:"))
            self.link.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;")
        else:
            self.link = psycopg.connect(
                host=given["HOST"], port=given["PORT"], user=given["USER"], password=given["PASSWORD"],
                dbname=given["NAME"], autocommit=True,
            )  # fmt: skip
            self.link.prepare_threshold = None  # as Django runs it

    def one(self) -> None:
        """SELECT 1."""
        self.link.execute("SELECT 1").fetchall()

    def page(self) -> None:
        """50 rows over three joins."""
        self.link.execute(LIST).fetchall()

    def whole_page(self) -> None:
        """All that the API says: five joins, and the clocks of the 50."""
        rows = self.link.execute(WHOLE).fetchall()
        keys = ", ".join(str(int(row[0])) for row in rows)
        self.link.execute(f"SELECT ticket_id, metric, due_at FROM tickets_clock WHERE ticket_id IN ({keys})").fetchall()

    def two_rows(self) -> None:
        """A ticket and one fact in a transaction."""
        self.write(tickets=1, clocks=0, watchers=0, facts=1, jobs=0, counter=False)

    def as_many_rows(self) -> None:
        """What a report writes: number, ticket, follower, four clocks, two facts, one job."""
        self.write(tickets=1, clocks=4, watchers=1, facts=2, jobs=1, counter=True)

    def write(self, *, tickets: int, clocks: int, watchers: int, facts: int, jobs: int, counter: bool) -> None:
        run = self.link.cursor()
        run.execute("BEGIN IMMEDIATE" if self.mark == "?" else "BEGIN")
        if counter:
            run.execute("UPDATE tickets_ticketcounter SET last = last + 0")
        key = 0
        for _n in range(tickets):
            key = self._insert(run, Ticket, self._ticket(), returning=True)
        for n in range(clocks):
            self._insert(run, Clock, self._clock | {"ticket_id": key, "metric": f"m{n}"})
        for _n in range(watchers):
            self._insert(run, Watcher, self._watcher | {"ticket_id": key, "token": uuid.uuid4().hex[:22]})
        for _n in range(facts):
            self._insert(run, EventRecord, self._fact)
        for _n in range(jobs):
            values = f"VALUES ('bench', 'payload', {self.mark})"
            run.execute(f"INSERT INTO django_q_ormq (key, payload, lock) {values}", [self._at])
        run.execute("COMMIT")

    def close(self) -> None:
        self.link.execute("DELETE FROM django_q_ormq WHERE key = 'bench'")
        self.link.close()

    def prepare(self) -> Driver:
        """Take a ticket with its rows as the pattern of what is written."""
        ticket = Ticket.objects.filter(clocks__isnull=False).latest("pk")
        self._pattern = self._columns(ticket)
        self._clock = self._columns(ticket.clocks.all()[0])
        self._watcher = self._columns(Watcher(ticket=ticket, at=timezone.now()))
        self._fact = self._columns(EventRecord(type="Raw", at=timezone.now(), by="bench", subject="raw:bench", data={}))
        self._at = self._plain(timezone.now())
        self._made: dict[type, str] = {}
        return self

    def _ticket(self) -> dict[str, Any]:
        fresh = uuid.uuid4().hex
        return self._pattern | {
            "public_id": fresh[:22],
            "tracking_token": fresh[10:],
            "number": fresh[:20],
            "client_id": None,
        }

    def _columns(self, row: models.Model) -> dict[str, Any]:
        fields = [field for field in row._meta.concrete_fields if not field.primary_key]
        return {
            str(field.column): self._plain(field.get_db_prep_save(getattr(row, field.attname), connection))
            for field in fields
        }

    def _plain(self, value: Any) -> Any:
        if isinstance(value, datetime) and connection.vendor == "sqlite":
            return value.isoformat(" ")
        if hasattr(value, "obj"):  # psycopg's wrapper of JSON
            return json.dumps(value.obj)
        return value

    def _insert(self, run: Any, model: type[models.Model], row: dict[str, Any], *, returning: bool = False) -> int:
        if model not in self._made:
            names, marks = ", ".join(f'"{name}"' for name in row), ", ".join([self.mark] * len(row))
            self._made[model] = f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({marks}) RETURNING id"
        run.execute(self._made[model], list(row.values()))
        return int(run.fetchone()[0])

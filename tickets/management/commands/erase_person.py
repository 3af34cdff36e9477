"""Somebody asks to be forgotten: their name, number, account, words and files go; the log stays whole."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from assets.places.models import Person
from tickets.retention import services as retention


class Command(BaseCommand):
    help = "Erase one person, named by the random id that the admin shows beside them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("public_id")

    def handle(self, *args: Any, public_id: str, **options: Any) -> None:
        person = Person.objects.filter(public_id=public_id).first()
        if person is None:
            raise CommandError(f"nobody has the id {public_id}.")
        retention.forget_person(person, by=None, at=timezone.now())
        self.stdout.write(f"{public_id} is erased; take care of exports and backups made before.")

"""Somebody asks what we know of them: one JSON document."""

from __future__ import annotations

import json
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from assets.places.models import Person
from tickets.retention.queries import about


class Command(BaseCommand):
    help = "Everything that is held under one person, named by the random id that the admin shows beside them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("public_id")

    def handle(self, *args: Any, public_id: str, **options: Any) -> None:
        person = Person.objects.filter(public_id=public_id).first()
        if person is None:
            raise CommandError(f"nobody has the id {public_id}.")
        self.stdout.write(json.dumps(about(person), cls=DjangoJSONEncoder, ensure_ascii=False, indent=1))

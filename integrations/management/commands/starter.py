"""What a hospital starts from: rules of time and priority, and the catalogue of device families with their faults."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from assets.models import DeviceType, FaultPreset
from integrations.sandbox import services
from tickets.models import PriorityRule, Target
from tickets.sla.services import install_defaults


class Command(BaseCommand):
    help = (
        "Enter the usual rules (calendars, holidays, matrix, time limits, ladder, pause reasons) and the catalogue "
        "(skills, cards, device families, faults, types). No demo data. Safe to run again: nothing changed is undone."
    )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        install_defaults()
        services.catalogue()
        counts = {
            model._meta.model_name: model.objects.count() for model in (PriorityRule, Target, DeviceType, FaultPreset)
        }
        self.stdout.write(", ".join(f"{n} {name}" for name, n in counts.items()))

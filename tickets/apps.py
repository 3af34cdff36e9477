"""Registers the tickets app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate  # noqa: TID251 - about tables, not rows
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = _("工单")

    def ready(self) -> None:
        from tickets.record.models.search import keep_searchable  # models load after the registry

        post_migrate.connect(keep_searchable, sender=self, dispatch_uid="tickets.search")

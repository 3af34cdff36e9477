"""Registers the integrations app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = _("集成")

    def ready(self) -> None:
        import integrations.subscribers  # noqa: F401 - registers the reactions

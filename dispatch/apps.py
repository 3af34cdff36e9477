"""Registers the dispatch app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DispatchConfig(AppConfig):
    name = "dispatch"
    verbose_name = _("派工")

    def ready(self) -> None:
        import dispatch.subscribers  # noqa: F401 - registers the reactions

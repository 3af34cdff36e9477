"""Registers the dispatch app."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class DispatchConfig(AppConfig):
    name = "dispatch"
    verbose_name = _("派工")

    def ready(self) -> None:
        import dispatch.subscribers  # noqa: F401 - registers the reactions

        if settings.PROCESS == "worker":
            import_module("scipy.optimize")  # before the first round, which is timed, and before the workers fork

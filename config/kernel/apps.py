"""Registers the kernel, the only shared code."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KernelConfig(AppConfig):
    name = "config.kernel"
    label = "kernel"
    verbose_name = _("内核")

    def ready(self) -> None:
        from config.kernel.away import dial_steadily

        dial_steadily()

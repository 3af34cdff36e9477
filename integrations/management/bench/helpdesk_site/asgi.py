"""Served by the same server as Wardline."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk_site.settings")

from django.core.asgi import get_asgi_application

application = get_asgi_application()

"""One web process: uvicorn on HOST:PORT, leaving in good order when it is told to stop."""

from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand

from ._server import LeavingServer


class Command(BaseCommand):
    help = "Serve pages, API and websockets on HOST:PORT, behind a proxy that speaks TLS. Run two or more."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        config = uvicorn.Config(
            "config.asgi:application",
            host=settings.HOST,
            port=settings.PORT,
            lifespan="off",
            log_config=None,  # Django's own says it once, as JSON
            access_log=False,  # the proxy writes one, with the tokens masked
            server_header=False,
            proxy_headers=False,  # config.proxy alone reads X-Forwarded-For
            ws="websockets-sansio",  # no tasks of its own beside each socket's
            ws_max_size=65_536,
            ws_per_message_deflate=False,  # a fact is a few hundred bytes; a compressor a socket costs more than it saves
            timeout_keep_alive=75,  # longer than any proxy keeps one: it must never close first
            timeout_graceful_shutdown=settings.LEAVE_WITHIN,
        )
        LeavingServer(config, notice=settings.LEAVE_NOTICE).run()

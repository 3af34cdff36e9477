"""`manage.py check_log`: is the log what was written into it? Reads all of it, while work goes on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.kernel import log


class Command(BaseCommand):
    help = "Walk the chain of the event log from the first fact to the last; exit 1 where it breaks."

    def handle(self, *args: Any, **options: Any) -> None:
        chain = log.walk()
        if chain.broken is not None:
            raise CommandError(
                f"The log breaks at fact {chain.broken}: it was changed outside Wardline. "
                f"The {chain.seq} facts before it are whole, the last with hash {chain.hash}."
            )
        self.stdout.write(f"The log is whole: {chain.seq} facts, the last with hash {chain.hash}.")

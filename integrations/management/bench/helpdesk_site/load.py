"""`python -m helpdesk_site.load N`: tables, four queues, one signed-in member of staff, N tickets with a follow-up each.

Prints {"cookie": ..., "tickets": ...}.
"""

import json
import os
import sys
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk_site.settings")

import django

django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from helpdesk.models import FollowUp, Queue, Ticket

BLOCK = 5000


def load(tickets: int) -> dict[str, object]:
    call_command("migrate", verbosity=0, interactive=False)
    staff = get_user_model().objects.create_superuser("staff", "staff@example.test", "peer")
    queues = [Queue.objects.create(title=f"Ward {n}", slug=f"ward-{n}", allow_public_submission=True) for n in range(4)]
    now = timezone.now()
    step = timedelta(days=365) / max(tickets, 1)
    for first in range(0, tickets, BLOCK):
        rows = Ticket.objects.bulk_create(
            Ticket(
                title=f"Ventilator HV-300 stopped {n}", queue=queues[n % 4], created=now - step * (tickets - n), modified=now,
                submitter_email=f"ward{n % 40}@example.test", assigned_to=staff if n % 3 else None,
                status=4 if n < tickets - 1000 else 1, description="alarm, no flow", priority=1 + n % 4,
                secret_key=f"{n:036d}",
            )
            for n in range(first, min(first + BLOCK, tickets))
        )  # fmt: skip
        FollowUp.objects.bulk_create(
            FollowUp(ticket=row, date=row.created, title="Comment", comment="looked at", public=True, user=staff)
            for row in rows
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    store = SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(staff.pk), staff.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store.create()
    return {"cookie": f"sessionid={store.session_key}", "tickets": Ticket.objects.count()}


if __name__ == "__main__":
    print(json.dumps(load(int(sys.argv[1]))))

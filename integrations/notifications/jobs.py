"""E-mail out of the house: at least once, retried with growing waits, every failure kept with its reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone, translation

from config.kernel import timers
from config.kernel.jobs import enqueue, under_way
from integrations.notifications import queries
from integrations.notifications.models import Delivery
from integrations.notifications.services import EMAIL_JOB

MOST_ATTEMPTS = 5
LEFT_AFTER = timedelta(minutes=10)
NO_WORD = "the job ended without a word"
MOST_LEFT = 200  # in one run; the next takes the rest


def send_email(delivery_pk: int) -> str:
    """Afterwards the mail is out, or another try is set, or the delivery says why it failed for good."""
    delivery = Delivery.objects.select_related("notification__user").filter(pk=delivery_pk).first()
    if delivery is None or delivery.state == "sent":
        return "nothing to do"
    note = delivery.notification
    with translation.override(settings.LANGUAGE_CODE):
        told = queries.shown([note], note.user)[0]
    body = "\n".join(filter(None, (told.body, f"{settings.PUBLIC_BASE_URL}{told.url}" if told.url else "")))
    try:
        send_mail(f"[Wardline] {told.title}"[:200], body, settings.DEFAULT_FROM_EMAIL, [note.user.email])
    except (SMTPException, OSError) as error:
        _failed(delivery, f"{type(error).__name__}: {error}"[:200], timezone.now())
        return "failed"
    Delivery.objects.filter(pk=delivery.pk).update(
        state="sent", attempts=delivery.attempts + 1, last_error="", at=timezone.now()
    )
    return "sent"


@transaction.atomic
def _failed(delivery: Delivery, reason: str, now: datetime) -> None:
    attempts = delivery.attempts + 1
    state = "failed" if attempts >= MOST_ATTEMPTS else "waiting"
    Delivery.objects.filter(pk=delivery.pk).update(state=state, attempts=attempts, last_error=reason, at=now)
    if state == "waiting":
        wait = timedelta(seconds=30 * 4**attempts)
        timers.set_timer(
            f"{queries.MAIL_TIMER}{delivery.pk}", now + wait, "integrations.notifications.jobs.send_again", delivery.pk
        )


def send_left() -> int:
    """Every five minutes: mails whose job ended without a word, as when the database went away beneath it, are queued
    again; how many. One whose job is queued or under way is left alone, since that job will say how it went."""
    now = timezone.now()
    left = list(queries.left_waiting(before=now - LEFT_AFTER)[:MOST_LEFT])
    if not left:
        return 0
    # The mails were read first: whatever queued or ended one since then, its job is seen here or its row has changed.
    busy = under_way(EMAIL_JOB)
    return sum(_take_up(delivery, now) for delivery in left if (delivery.pk,) not in busy)


@transaction.atomic
def _take_up(seen: Delivery, now: datetime) -> bool:
    """The guarded update gives it to one run, and to none when it is no longer as it was seen."""
    attempts = seen.attempts + 1
    state = "failed" if attempts >= MOST_ATTEMPTS else "waiting"
    unchanged = Delivery.objects.filter(pk=seen.pk, state=seen.state, attempts=seen.attempts, at=seen.at)
    if not unchanged.update(state=state, attempts=attempts, last_error=NO_WORD, at=now):
        return False
    if state == "waiting":
        enqueue(EMAIL_JOB, seen.pk)
    return state == "waiting"


def send_again(delivery_pk: int, *, at: datetime) -> None:
    """The timer of a failed mail: the clock only queues it."""
    enqueue(EMAIL_JOB, delivery_pk)

"""What becomes of people: guessed at, erased on request or when nobody needs to know them any more."""

from __future__ import annotations

from datetime import datetime

from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.db import transaction

from assets.events import PasswordGuessed, PersonErased
from assets.places.models import Person, User
from config.kernel.events import publish


@transaction.atomic
def erase(person: Person, *, by: str, at: datetime) -> Person:
    """Nobody can tell from our tables who this was: name and phone are gone, an account is closed and has a made-up name.

    The log stays as it is, since it only ever knew the random id. `PersonErased`; again is harmless.
    """
    current = Person.objects.select_for_update().get(pk=person.pk)
    if current.erased_at:
        return current
    account = User.objects.filter(person=current).first()
    if account:
        _close(account, f"erased-{current.public_id[:12]}")
    current.name = current.phone = ""
    current.erased_at = at
    current.save(update_fields=["name", "phone", "erased_at"])
    publish(PersonErased(at=at, by=by, person=current.public_id))
    return current


@transaction.atomic
def announce_guesses(username: str, *, guesses: int, at: datetime) -> None:
    """Somebody who is perhaps not the owner has used up the guesses at an account. `PasswordGuessed`, for real ones."""
    account = User.objects.filter(username__iexact=username, is_active=True).select_related("person").first()
    if account:
        publish(PasswordGuessed(at=at, by="system", person=account.person.public_id, guesses=guesses))


def _close(account: User, pseudonym: str) -> None:
    for kept in (AccessAttempt, AccessFailureLog, AccessLog):
        kept.objects.filter(username__iexact=account.username).delete()
    Authenticator.objects.filter(user=account).delete()
    account.username = account.display_name = account.display_name_en = pseudonym
    account.email = account.first_name = account.last_name = account.extension = ""
    account.is_active = account.is_staff = False
    account.set_unusable_password()
    account.save()

"""Places keep their full names; people are guessed at, and erased on request or when nobody needs them any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.db import transaction
from django.utils.translation import gettext as _

from assets.events import PasswordGuessed, PersonErased
from assets.places.models import Location, Person, User
from config.kernel.errors import Invalid
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


@transaction.atomic
def settle(place: Location) -> None:
    """Store a new or changed place; its full name, its building and those of all places inside it follow."""
    place.save()
    above = list(_chain(place))
    building = next((one for one in above if one.kind == Location.Kind.BUILDING), None)
    _name(place, above[0] if above else None, building.code if building else "")
    waiting = [place]
    while waiting:
        parent = waiting.pop()
        for inner in Location.objects.filter(parent=parent):
            _name(inner, parent, parent.building_code)
            waiting.append(inner)


def _chain(place: Location) -> Iterator[Location]:
    """What it is in, from near to far."""
    seen, above = {place.pk}, place.parent
    while above is not None:
        if above.pk in seen:
            raise Invalid(_("这个位置不能在它自己里面。"), fields={"parent": _("选别的上级。")})
        yield above
        seen.add(above.pk)
        above = above.parent


def _name(place: Location, above: Location | None, building: str) -> None:
    """A building's path is its name: which campus it is on goes without saying."""
    alone = above is None or place.kind in (Location.Kind.CAMPUS, Location.Kind.BUILDING)
    place.building_code = place.code if place.kind == Location.Kind.BUILDING else building
    english = place.name_en or place.name
    if place.kind == Location.Kind.FLOOR:
        english = english[:1].lower() + english[1:]
    place.path_zh = place.name if above is None or alone else f"{above.path_zh} {place.name}"[:200]
    place.path_en = (place.name_en or place.name) if above is None or alone else f"{above.path_en} {english}"[:200]
    place.save(update_fields=["building_code", "path_zh", "path_en"])

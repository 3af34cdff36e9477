"""What tickets forget: contacts, photos and voice when their time is over, and a person who asks for it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from assets.places import services as places
from assets.places.models import Person, User
from tickets.record.models import Attachment, Comment, Ticket
from tickets.record.queries import search_words

logger = logging.getLogger(__name__)
MOST_STRAY = 100
_AT_ONCE = 500
_SETTLED = timedelta(days=1)  # no request takes that long: what no row names by then none ever will


def forget_contacts(*, at: datetime) -> int:
    """No reporter is known whose last ticket ended `KEEP_CONTACTS` ago; how many were erased. The department stays."""
    since = at - settings.KEEP_CONTACTS
    theirs = Ticket.objects.filter(reporter=OuterRef("pk"))
    needed = theirs.filter(Q(ended_at=None) | Q(ended_at__gt=since) | Q(number__in=settings.LEGAL_HOLD))
    reporters = Person.objects.filter(kind=Person.Kind.REPORTER, user=None, erased_at=None, created_at__lte=since)
    gone = list(reporters.exclude(Exists(needed))[:_AT_ONCE])
    for person in gone:
        places.erase(person, by="system", at=at)
    return len(gone)


def forget_files(*, at: datetime) -> dict[str, int]:
    """No photo or voice note is left of tickets that ended `KEEP_PHOTOS` or `KEEP_VOICE` ago; how many of each went."""
    limits = {"photo": settings.KEEP_PHOTOS, "audio": settings.KEEP_VOICE}
    free = Attachment.objects.exclude(ticket__number__in=settings.LEGAL_HOLD)
    return {
        kind: _remove(free.filter(kind=kind, ticket__ended_at__lte=at - kept)[:_AT_ONCE])
        for kind, kept in limits.items()
    }


@transaction.atomic
def _remove(files: Iterable[Attachment]) -> int:
    """The rows now, the bytes when that is certain: a row without its file would be a broken page."""
    rows = list(files)
    paths = [path for row in rows for path in (row.file.name, row.thumbnail.name) if path]
    Attachment.objects.filter(pk__in=[row.pk for row in rows]).delete()
    for path in paths:
        transaction.on_commit(partial(default_storage.delete, path))
    return len(rows)


def forget_stray_files(*, at: datetime) -> int:
    """No file of a day ago is left that no attachment names; how many went.

    Bytes are written before their row: a report that was refused afterwards, or a process that was killed, leaves a
    photo that nobody would find when its time is over or its sender asks to be forgotten. More than MOST_STRAY of them
    come from no refusal: the folder belongs to another database, and nothing is touched.
    """
    stray = list(islice(_stray(at - _SETTLED), MOST_STRAY + 1))
    if len(stray) > MOST_STRAY:
        logger.error("more than %d files that no attachment names: is MEDIA_ROOT this database's own?", MOST_STRAY)
        return 0
    for path in stray:
        default_storage.delete(path)
    return len(stray)


def _stray(before: datetime) -> Iterator[str]:
    """Asked of the rows by whole paths, so that whatever a row names, be it as original or thumbnail, stays."""
    fields = (Attachment._meta.get_field("file"), Attachment._meta.get_field("thumbnail"))
    for field in fields:
        stored = _stored(str(field.upload_to))
        while paths := list(islice(stored, _AT_ONCE)):
            named = {
                path
                for column in fields
                for path in Attachment.objects.filter(**{f"{column.name}__in": paths}).values_list(
                    column.name, flat=True
                )
            }
            yield from (path for path in paths if path not in named and _written_before(path, before))


def _stored(folder: str) -> Iterator[str]:
    """The files below this folder; one folder is held in memory, not all."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:  # nobody has sent anything yet
        return
    yield from (f"{folder}/{name}" for name in files)
    for inner in folders:
        yield from _stored(f"{folder}/{inner}")


def _written_before(path: str, moment: datetime) -> bool:
    try:
        return default_storage.get_modified_time(path) < moment
    except FileNotFoundError:  # somebody else has just removed it
        return False


@transaction.atomic
def forget_person(person: Person, *, by: User | None, at: datetime) -> None:
    """On request: the person, their name in what was written on their tickets, and the files they sent are gone.

    `PersonErased`. The log keeps its chain, since it only knows the random id.
    """
    names = {person.name, *_names_of(User.objects.filter(person=person))} - {""}
    touched = Ticket.objects.filter(Q(reporter=person) | Q(comments__by=person) | Q(attachments__by=person)).distinct()
    for ticket in touched:
        _strike(ticket, names)
    _remove(Attachment.objects.filter(by=person))
    places.erase(person, by=by.person.public_id if by else "system", at=at)


def _names_of(accounts: QuerySet[User]) -> set[str]:
    return {name for account in accounts for name in (account.display_name, account.display_name_en)}


def _strike(ticket: Ticket, names: set[str]) -> None:
    """Names that somebody typed into free text; the list searches the description too."""
    for name in names:
        ticket.description = ticket.description.replace(name, "***")
        for comment in Comment.objects.filter(ticket=ticket, text__contains=name):
            comment.text = comment.text.replace(name, "***")
            comment.save(update_fields=["text"])
    ticket.search_text = search_words(
        ticket.number, ticket.device, ticket.preset, ticket.department, ticket.description
    )
    ticket.save(update_fields=["description", "search_text", "updated_at"])

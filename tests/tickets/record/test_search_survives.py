"""A migration that alters the ticket table copies it on SQLite, without its triggers; search must not notice."""

import pytest
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection

from tests.tickets.desk import stories
from tickets.models import Ticket
from tickets.record.queries import search


def alter_and_back() -> None:
    """What two later migrations would do to one column, through Django's own editor."""
    now = Ticket._meta.get_field("description")
    wider = now.clone()
    wider.set_attributes_from_name(now.name)
    wider.model, wider.null = Ticket, True
    for old, new in ((now, wider), (wider, now)):
        with connection.schema_editor() as editor:
            editor.alter_field(Ticket, old, new)


def found(word: str) -> set[str]:
    return set(search(Ticket.objects.all(), word).values_list("number", flat=True))


@pytest.mark.django_db(transaction=True)
def test_search_finds_old_and_new_tickets_after_the_table_was_rebuilt(ventilator, stopped, now):
    before = stories.reported(ventilator, stopped, now)

    alter_and_back()
    between = stories.reported(stories.another(ventilator), stopped, now)  # a data migration, before the mending
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    after = stories.reported(stories.another(ventilator), stopped, now)

    assert {before.number, between.number, after.number} <= found("呼吸机")
    after.delete()
    assert found("呼吸机") == {before.number, between.number}


@pytest.mark.django_db(transaction=True)
def test_where_nothing_is_missing_nothing_is_filled_anew(ventilator, stopped, now, django_assert_max_num_queries):
    stories.reported(ventilator, stopped, now)
    from tickets.record.models.search import keep_searchable

    with django_assert_max_num_queries(3):  # begin, look, commit
        keep_searchable()

"""One ticket on the desk: every step goes through its service, and a refusal changes nothing and loses nothing typed."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.tickets.desk import stories
from tickets.lifecycle import services as lifecycle
from tickets.models import Attachment, Ticket


@pytest.fixture
def ticket(ventilator, stopped, now):
    made = stories.reported(ventilator, stopped, now, in_use=True)
    made.refresh_from_db()
    return made


def page_of(ticket):
    return f"/desk/tickets/{ticket.public_id}/"


def as_it_was(ticket):
    now = Ticket.objects.get(pk=ticket.pk)
    return (now.state, now.version, now.assignee_id, now.priority) == (
        ticket.state, ticket.version, ticket.assignee_id, ticket.priority,
    )  # fmt: skip


def test_the_page_tells_the_line_the_story_and_the_reason(ticket, dispatcher, signed_in):
    page = signed_in(dispatcher).get(page_of(ticket)).content.decode()

    for wanted in (
        ticket.number,
        "呼吸机 HV-300",
        "停机",
        "为什么是",
        "响应",
        "到场",
        "恢复",
        "修复",
        "C1 生命支持与急救",
    ):
        assert wanted in page


def test_giving_it_to_somebody_else_takes_a_reason(ticket, dispatcher, engineer, colleague, signed_in, now):
    stories.assigned(ticket, engineer, now)
    client = signed_in(dispatcher)

    refused = client.post(page_of(ticket) + "assign/", {"to": "wang", "version": ticket.version})
    assert refused.status_code in (400, 422)
    assert as_it_was(ticket)

    answer = client.post(
        page_of(ticket) + "assign/", {"to": "wang", "reason": "李工在手术室", "version": ticket.version}
    )
    assert answer.status_code == 302
    assert Ticket.objects.get(pk=ticket.pk).assignee == colleague


def test_a_stale_click_is_refused_with_a_sentence_and_the_entry_kept(ticket, dispatcher, signed_in):
    seen = ticket.version
    Ticket.objects.filter(pk=ticket.pk).update(version=seen + 1)
    ticket.refresh_from_db()

    answer = signed_in(dispatcher).post(
        page_of(ticket) + "reprioritise/", {"priority": "2", "reason": "有备用机", "version": seen}
    )

    assert answer.status_code == 409
    assert "你的操作没有生效" in answer.content.decode()
    assert "有备用机" in answer.content.decode()
    assert as_it_was(ticket)


def test_who_took_it_while_the_dialog_was_open_is_named(ticket, dispatcher, engineer, colleague, signed_in, now):
    Ticket.objects.filter(pk=ticket.pk).update(assignee=None, state="triaged")
    ticket.refresh_from_db()
    seen = ticket.version
    lifecycle.accept(stories.assigned(ticket, engineer, now), by=engineer, at=now)
    ticket.refresh_from_db()

    answer = signed_in(dispatcher).post(page_of(ticket) + "assign/", {"to": "wang", "version": seen})

    form = answer.context["refused"]["form"]
    assert answer.status_code == 409
    assert form.errors == {"__all__": ["李工刚接手了这张单，现在是“已接单”，你的派单没有生效。要换人，写明改派原因。"]}
    assert "该字段是必填项" not in answer.content.decode()
    assert 'data-fragment="/desk/tickets/' in answer.content.decode()
    assert as_it_was(ticket)


def test_what_cannot_be_done_any_more_has_no_button(ticket, dispatcher, colleague, signed_in, now):
    client, seen = signed_in(dispatcher), ticket.version
    lifecycle.cancel(ticket, by=dispatcher, at=now, reason="误报")
    ticket.refresh_from_db()

    answer = client.post(page_of(ticket) + "assign/", {"to": "wang", "reason": "换人", "version": seen})

    dialog = answer.content.decode().split('id="dialog-assign"')[1].split("</dialog>")[0]
    assert answer.status_code == 409
    assert "你的操作没有生效" in dialog
    assert "data-close" in dialog
    assert 'type="submit"' not in dialog
    assert 'name="to"' not in dialog
    assert as_it_was(ticket)


def test_a_changed_priority_rebases_the_clocks(ticket, dispatcher, signed_in):
    answer = signed_in(dispatcher).post(
        page_of(ticket) + "reprioritise/", {"priority": "2", "reason": "有备用机", "version": ticket.version}
    )

    assert answer.status_code == 302
    changed = Ticket.objects.get(pk=ticket.pk)
    assert (changed.priority, changed.highest_priority) == (2, 1)
    assert set(changed.clocks.values_list("priority", flat=True)) == {2}


@pytest.mark.parametrize("verb", ["assign", "reprioritise", "triage", "cancel", "reject", "close", "reopen"])
def test_steps_of_the_desk_are_nobody_elses(verb, ticket, engineer, nurse, outsider, signed_in, client):
    body = {"reason": "x", "to": "li", "priority": "4", "impact": "I4", "version": ticket.version}

    statuses = [
        signed_in(user).post(f"{page_of(ticket)}{verb}/", body).status_code for user in (engineer, nurse, outsider)
    ]

    assert statuses == [403, 403, 403]
    assert client.post(f"{page_of(ticket)}{verb}/", body).status_code == 302
    assert as_it_was(ticket)


@pytest.mark.parametrize("verb", ["close", "reopen", "confirm"])
def test_a_step_the_state_does_not_allow_is_a_conflict(verb, ticket, dispatcher, signed_in):
    answer = signed_in(dispatcher).post(
        f"{page_of(ticket)}{verb}/", {"reason": "x", "name": "陈", "version": ticket.version}
    )

    assert answer.status_code == 409
    assert as_it_was(ticket)


def test_cancelling_needs_a_reason_and_ends_the_ticket(ticket, dispatcher, signed_in):
    client = signed_in(dispatcher)

    assert client.post(page_of(ticket) + "cancel/", {"version": ticket.version}).status_code in (400, 422)
    assert as_it_was(ticket)
    assert client.post(page_of(ticket) + "cancel/", {"reason": "误报", "version": ticket.version}).status_code == 302
    assert Ticket.objects.get(pk=ticket.pk).state == "cancelled"


def test_a_comment_is_the_wards_only_when_said_so(ticket, dispatcher, signed_in):
    client = signed_in(dispatcher)

    client.post(page_of(ticket) + "comment/", {"text": "等配件", "public": "on"})
    client.post(page_of(ticket) + "comment/", {"text": "厂家电话 13800138000"})
    empty = client.post(page_of(ticket) + "comment/", {"text": "  "})

    rows = list(ticket.comments.order_by("pk").values_list("text", "public", "masked"))
    assert rows[0] == ("等配件", True, False)
    assert rows[1][1:] == (False, True)
    assert "13800138000" not in rows[1][0]
    assert empty.status_code == 400
    assert "等配件" in client.get(page_of(ticket)).content.decode()


def test_an_unknown_ticket_is_simply_not_there(dispatcher, signed_in, rules):
    assert signed_in(dispatcher).get("/desk/tickets/nothing-here/").status_code == 404


def test_photos_are_read_by_the_ward_and_the_department_alone(
    ticket, nurse, outsider, engineer, signed_in, client, now, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    row = Attachment(ticket=ticket, kind="photo", content_type="image/jpeg", size=3, sha256="0" * 64, at=now)
    row.file.save("a/b.jpg", SimpleUploadedFile("b.jpg", b"jpg"), save=False)
    row.save()
    path = f"/files/{row.public_id}/"

    def status(user):
        answer = signed_in(user).get(path)
        if answer.streaming:
            b"".join(answer.streaming_content)  # read to the end, so that the file is closed
        return answer.status_code

    assert [status(user) for user in (nurse, engineer, outsider)] == [200, 200, 404]
    assert client.get(path).status_code == 302
    answer = signed_in(nurse).get(path)
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    assert b"".join(answer.streaming_content) == b"jpg"

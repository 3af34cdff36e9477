"""Addresses of the desk, all below /desk/."""

from django.urls import path

from tickets.desk.verbs import VERBS
from tickets.desk.views import board, ticket

app_name = "desk"
urlpatterns = [
    path("", board.board, name="board"),
    path("_board/", board.fragment, name="board-fragment"),
    path("tickets/", board.board, name="tickets"),
    path("tickets/<str:public_id>/", ticket.page, name="ticket"),
    path("tickets/<str:public_id>/comment/", ticket.comment, name="comment"),
    # One address a step: other rooms have pages below a ticket too.
    *(path(f"tickets/<str:public_id>/{key}/", ticket.act, {"verb": key}, name="act") for key in VERBS),
]

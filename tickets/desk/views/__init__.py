"""The desk's pages and their addresses, all below /desk/."""

from django.urls import path

from tickets.desk.views import board, listing, new, saved, ticket
from tickets.desk.views.verbs import VERBS

app_name = "desk"
urlpatterns = [
    path("", board.board, name="board"),
    path("_board/", board.fragment, name="board-fragment"),
    path("tickets/", listing.listing, name="tickets"),
    path("tickets/export.<slug:form>", listing.export, name="export"),
    path("tickets/new/", new.new, name="new"),
    path("views/", saved.save, name="save-view"),
    path("views/<int:pk>/delete/", saved.delete, name="delete-view"),
    path("tickets/<str:public_id>/", ticket.page, name="ticket"),
    path("tickets/<str:public_id>/comment/", ticket.comment, name="comment"),
    # One address a step: other rooms have pages below a ticket too.
    *(path(f"tickets/<str:public_id>/{key}/", ticket.act, {"verb": key}, name="act") for key in VERBS),
]

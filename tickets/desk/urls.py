"""Addresses of the desk, all below /desk/."""

from django.urls import path

from tickets.desk.views import board, ticket

app_name = "desk"
urlpatterns = [
    path("", board.board, name="board"),
    path("_board/", board.fragment, name="board-fragment"),
    path("tickets/", ticket.listing, name="tickets"),
    path("tickets/<str:public_id>/", ticket.page, name="ticket"),
]

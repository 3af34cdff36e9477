"""Reads of the desk: board, wall, feed, one ticket's story, the list."""

from tickets.desk.queries.board import SHOWS, board, place_of, row_of
from tickets.desk.queries.feed import feed, sentences, tell
from tickets.desk.queries.listing import FILTERS, Page, address, choices, filtered, page, read_filters, unread_filters
from tickets.desk.queries.story import timeline
from tickets.desk.queries.wall import wall

__all__ = [
    "FILTERS",
    "SHOWS",
    "Page",
    "address",
    "board",
    "choices",
    "feed",
    "filtered",
    "page",
    "place_of",
    "read_filters",
    "row_of",
    "sentences",
    "tell",
    "timeline",
    "unread_filters",
    "wall",
]

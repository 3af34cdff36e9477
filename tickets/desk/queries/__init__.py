"""Reads of the desk: board, wall, feed, one ticket's story."""

from tickets.desk.queries.board import SHOWS, board, place_of, row_of
from tickets.desk.queries.feed import feed, tell
from tickets.desk.queries.story import priority_reasons, timeline
from tickets.desk.queries.wall import wall

__all__ = ["SHOWS", "board", "feed", "place_of", "priority_reasons", "row_of", "tell", "timeline", "wall"]

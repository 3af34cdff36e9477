"""Reads of the desk: board, wall, feed."""

from tickets.desk.queries.board import SHOWS, board, place_of, row_of
from tickets.desk.queries.feed import feed, tell
from tickets.desk.queries.wall import wall

__all__ = ["SHOWS", "board", "feed", "place_of", "row_of", "tell", "wall"]

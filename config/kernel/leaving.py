"""Whether this process was told to stop and finishes what is under way. Set by `manage.py web`, read at the doors."""

import threading

_leaving = threading.Event()


def begin() -> None:
    _leaving.set()


def is_leaving() -> bool:
    """True from the signal to stop until the end: `/readyz` answers 503, everything else is served as before."""
    return _leaving.is_set()

"""Every change of the clocks: started, met, paused, resumed, re-based, stopped, fired; and the rules to begin with."""

from tickets.sla.services.clocks import (
    decide_priority,
    meet,
    pause,
    rebase,
    resume,
    start_clocks,
    stop,
    undo_pause,
    undo_resume,
    unmeet,
)
from tickets.sla.services.defaults import install_defaults
from tickets.sla.services.firing import fire_due

__all__ = [
    "decide_priority",
    "fire_due",
    "install_defaults",
    "meet",
    "pause",
    "rebase",
    "resume",
    "start_clocks",
    "stop",
    "undo_pause",
    "undo_resume",
    "unmeet",
]

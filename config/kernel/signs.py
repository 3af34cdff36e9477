"""The drawn signs of design.md section 3 as SVG: geometry only, no words, no database, no clock.

Colours are token names (`var(--ok)`), so one drawing serves the light pages, the wall, print and forced colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

RING_RADIUS: Final = 25
RING_LENGTH: Final = 2 * pi * RING_RADIUS
MINI_STOPS: Final = (7, 33, 59, 85)
WALKED: Final = frozenset({"met", "late", "near", "now", "hold"})

PRIORITY: Final = {
    1: '<path d="M3.6.5h4.8l3.1 3.1v4.8l-3.1 3.1H3.6L.5 8.4V3.6z" fill="currentColor"/>'
    '<path class="cut" d="M6 3v3.4M6 8.6v.1" stroke="var(--p1)" stroke-width="1.6" stroke-linecap="round"/>',
    2: '<path d="M6 .8 11.6 11H.4z" fill="currentColor"/>',
    3: '<circle cx="6" cy="6" r="4.5" fill="none" stroke="currentColor" stroke-width="2"/>',
    4: '<path d="M2 6h8" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>',
}

_CIRCLE: Final = '<circle cx="7" cy="7" r="6" fill="none" stroke="currentColor" stroke-width="1.5"/>'
_TICK: Final = (
    '<path d="m4.4 7.2 1.8 1.8 3.4-3.8" fill="none" stroke="{0}" stroke-width="1.5" '
    'stroke-linecap="round" stroke-linejoin="round"/>'
)
# A pie is a circle of radius 2 stroked 4 wide: its dash is the share of the way to the end.
_PIE: Final = {"assigned": 0.15, "accepted": 0.30, "arrived": 0.50, "working": 0.75}
_PIE_LENGTH: Final = 4 * pi

STATE_TONE: Final = {
    "new": "new",
    "triaged": "new",
    "assigned": "act",
    "accepted": "act",
    "arrived": "act",
    "working": "act",
    "paused": "hold",
    "resolved": "done",
    "verifying": "done",
    "closed": "done",
    "cancelled": "hold",
    "rejected": "bad",
    "reopened": "back",
}


def _pie(share: float) -> str:
    return (
        f'{_CIRCLE}<circle cx="7" cy="7" r="2" fill="none" stroke="currentColor" stroke-width="4" '
        f'stroke-dasharray="{share * _PIE_LENGTH:.2f} 20" transform="rotate(-90 7 7)"/>'
    )


_STATE: Final = {
    "new": _CIRCLE.replace("/>", ' stroke-dasharray="2.2 1.6"/>'),
    "triaged": _CIRCLE,
    **{state: _pie(share) for state, share in _PIE.items()},
    "paused": _CIRCLE
    + '<path d="M5.5 4.8v4.4M8.5 4.8v4.4" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"/>',
    "resolved": _CIRCLE + _TICK.format("currentColor"),
    "verifying": _CIRCLE + _TICK.format("currentColor"),
    "closed": '<circle cx="7" cy="7" r="6.7" fill="currentColor"/>' + _TICK.format("var(--on-ok)"),
    "cancelled": _CIRCLE + '<path d="M3.4 10.6l7.2-7.2" stroke="currentColor" stroke-width="1.5"/>',
    "rejected": _CIRCLE
    + '<path d="M5 5l4 4M9 5l-4 4" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"/>',
    "reopened": '<path d="M1.9 7a5.2 5.2 0 1 0 5.2-5.2 5.6 5.6 0 0 0-3.9 1.6L1.9 4.7M1.9 1.8v2.9h2.9" fill="none" '
    'stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"/>',
}

# Signs of a clock or of a stock, on a 22 grid.
_TRIANGLE: Final = (
    '<path d="M11 2 20.5 19h-19z" fill="var(--warn)" stroke="var(--warn-arc)" stroke-width="1.6" stroke-linejoin="round"/>'
    '<path d="M11 8.4v4.4M11 15.9v.2" stroke="var(--on-warn)" stroke-width="2.2" stroke-linecap="round"/>'
)
_DIAMOND: Final = (
    '<path d="M11 .5 21.5 11 11 21.5.5 11z" fill="{0}"/>'
    '<path d="M11 6.2v5.4M11 15v.2" stroke="{1}" stroke-width="2.3" stroke-linecap="round"/>'
)
_CHECK: Final = (
    '<path d="m6.8 11.2 2.8 2.8 5.6-6" fill="none" stroke="{0}" stroke-width="2.2" '
    'stroke-linecap="round" stroke-linejoin="round"/>'
)
GLYPH: Final = {
    "clock": '<circle cx="11" cy="11" r="8.7" fill="none" stroke="var(--ink-3)" stroke-width="1.9"/>'
    '<path d="M11 6.3V11l3.2 2.1" fill="none" stroke="var(--ink-3)" stroke-width="1.9" stroke-linecap="round"/>',
    "warn": _TRIANGLE,
    "breach": _DIAMOND.format("var(--breach)", "var(--on-breach)"),
    "breach-light": _DIAMOND.format("var(--on-p1)", "var(--p1)"),  # on the wall's one filled card
    "hold": '<circle cx="11" cy="11" r="8.8" fill="none" stroke="var(--ink-3)" stroke-width="1.9" stroke-dasharray="3.1 3.1"/>'
    '<path d="M9 7.9v6.2M13 7.9v6.2" stroke="var(--ink-3)" stroke-width="2"/>',
    "enough": '<circle cx="11" cy="11" r="9" fill="none" stroke="var(--ok)" stroke-width="1.8"/>'
    + _CHECK.format("var(--ok)"),
}
# Stops of the large line, on a 22 grid; `.stop.met .k` and its sisters give the colour.
STOP: Final = {
    "met": '<circle cx="11" cy="11" r="10" fill="currentColor"/>' + _CHECK.format("var(--on-ok)"),
    "late": _DIAMOND.format("currentColor", "var(--on-breach)"),
    "near": _TRIANGLE,
    "now": '<circle cx="11" cy="11" r="9" fill="none" stroke="currentColor" stroke-width="3"/>'
    '<circle cx="11" cy="11" r="3.5" fill="currentColor"/>',
    "todo": '<circle cx="11" cy="11" r="8" fill="none" stroke="currentColor" stroke-width="1.75"/>',
    "hold": '<circle cx="11" cy="11" r="8.5" fill="none" stroke="currentColor" stroke-width="1.75" stroke-dasharray="3 3"/>'
    '<path d="M9 8v6M13 8v6" stroke="currentColor" stroke-width="1.9" stroke-linecap="round"/>',
}
_MINI: Final = {
    "met": '<circle cx="{0}" cy="7" r="5" fill="var(--ok)"/>',
    "late": '<path d="M{0} .8l6.2 6.2-6.2 6.2-6.2-6.2z" fill="var(--breach)"/>',
    "near": '<path d="M{0} 1.2l6 11h-12z" fill="var(--warn)" stroke="var(--warn-arc)" stroke-width="1.4" stroke-linejoin="round"/>',
    "now": '<circle cx="{0}" cy="7" r="4.5" fill="var(--surface)" stroke="var(--brand)" stroke-width="3"/>',
    "todo": '<circle cx="{0}" cy="7" r="4" fill="var(--surface)" stroke="var(--edge)" stroke-width="1.5"/>',
    "hold": '<circle cx="{0}" cy="7" r="4.5" fill="var(--surface)" stroke="var(--ink-3)" stroke-width="1.6" '
    'stroke-dasharray="2 1.6"/>',
}


def _svg(inner: str, box: int | str, *, size: int | None = None, css: str = "") -> SafeString:
    """An inline SVG of trusted constants above; only numbers of ours are ever put in."""
    view = box if isinstance(box, str) else f"0 0 {box} {box}"
    extent = f' width="{size}" height="{size}"' if size else ""
    name = f' class="{css}"' if css else ""
    return mark_safe(f'<svg{name} viewBox="{view}"{extent} aria-hidden="true">{inner}</svg>')  # noqa: S308 - constants and numbers


def priority(level: int) -> SafeString:
    """Octagon, triangle, ring, dash: 12 px."""
    return _svg(PRIORITY[level], 12, css="g")


def state(name: str) -> SafeString:
    """The 14 px circle that fills as the ticket nears its end."""
    return _svg(_STATE[name], 14)


def glyph(name: str, size: int = 16) -> SafeString:
    """clock, warn, breach, breach-light, hold, enough: sign beside a due time or a stock figure."""
    return _svg(GLYPH[name], 22, size=size)


def stop(status: str) -> SafeString:
    """One stop of the large line."""
    return _svg(STOP[status], 22)


def mini(statuses: Sequence[str]) -> SafeString:
    """The four stops in 92 x 14: the way walked is solid ink, the way ahead dashed."""
    parts = []
    for i, (x, status) in enumerate(zip(MINI_STOPS, statuses, strict=True)):
        parts.append(_MINI[status].format(x))
        if i < len(MINI_STOPS) - 1:
            walked = statuses[i + 1] in WALKED
            look = 'stroke="var(--ink-2)"' if walked else 'stroke="var(--path)" stroke-dasharray="2 3"'
            parts.append(f'<path d="M{x + 6} 7h14" {look} stroke-width="2"/>')
    return mark_safe(f'<svg viewBox="0 0 92 14" width="92" height="14" aria-hidden="true">{"".join(parts)}</svg>')  # noqa: S308


def ring(status: str, share_left: float) -> SafeString:
    """Track and arc of the ring; a filled disc when late, dots when held, a triangle at the upper right when near."""
    if status == "breach":
        return _svg('<circle class="disc" cx="28" cy="28" r="27"/>', 56)
    width = {"ok": 4, "warn": 6, "hold": 2}[status]
    track = f'<circle class="trk" cx="28" cy="28" r="{RING_RADIUS}" fill="none" stroke-width="{width}"/>'
    if status == "hold":
        return _svg(track, 56)
    length = min(max(share_left, 0.0), 1.0) * RING_LENGTH
    arc = (
        f'<circle class="arc" cx="28" cy="28" r="{RING_RADIUS}" fill="none" stroke-width="{width}" '
        f'stroke-linecap="round" stroke-dasharray="{length:.1f} 200" transform="rotate(-90 28 28)"/>'
    )
    drawn = _svg(track + arc, 56)
    return drawn + _svg(_TRIANGLE, 22, css="tri") if status == "warn" else drawn


def meter(share: float, *, tone: str = "", large: bool = False, from_end: bool = False) -> SafeString:
    """A bar; the width is an SVG attribute, because a strict policy forbids inline style."""
    width = min(max(share, 0.0), 1.0) * 100
    css = " ".join(filter(None, ("meter", tone, "lg" if large else "")))
    start = f'x="{100 - width:.1f}%" ' if from_end else ""
    return mark_safe(  # noqa: S308 - numbers only; tone is escaped below
        format_html('<svg class="{}" aria-hidden="true">', css)
        + f'<rect class="bg" width="100%" height="100%"/><rect class="fg" {start}width="{width:.1f}%" height="100%" rx="2"/></svg>'
    )


HATCHED: Final = 3
# The last rectangle restores the gap that the hatch has drawn over.
_HATCH: Final = mark_safe(
    '<line class="k3-l" x1="-16" x2="120%" y1="7" y2="7" stroke-width="14" stroke-dasharray="3 3" transform="skewX(-45)"/>'
    '<rect class="gap" x="100%" width="2" height="14" transform="translate(-2)"/>'
)


def stack(values: Sequence[float], scale: float) -> SafeString:
    """Segments on one scale; the third is hatched, so that the bar reads without hue."""
    parts, at = [], 0.0
    for i, value in enumerate(values, start=1):
        width = max(value, 0.0) / scale * 100 if scale else 0.0
        if width > 0:
            parts.append((f"{at:.1f}%", f"{width:.1f}%", f"k{i}", _HATCH if i == HATCHED else ""))
        at += width
    return format_html_join(
        "",
        '<svg class="seg" x="{}" width="{}" height="14"><rect class="{}" width="100%" height="14" rx="2"/>{}</svg>',
        parts,
    )

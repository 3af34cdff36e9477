"""The design tokens keep their promises: contrast as in design.md, one place for raw colours, ward.css equal to the rest."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CSS = ROOT / "static" / "css"
WARD_BYTES = 15_000  # of the 30 KB that a ward page may weigh with its HTML and icons


def without_comments(path: Path) -> str:
    return re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def block(css: str, selector: str) -> dict[str, str]:
    body = re.search(re.escape(selector) + r"\{(.*?)\}", css, flags=re.DOTALL)
    assert body, selector
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", body.group(1) + ";"))


LIGHT = block(without_comments(CSS / "tokens.css"), ":root")
WALL = LIGHT | block(without_comments(CSS / "tokens.css"), "[data-theme=wall]")


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


# name, ground, least ratio: the table of design.md 2.1, rounded down to a tenth
LIGHT_PAIRS = [
    ("ink", "surface", 16.7), ("ink", "bg", 15.3), ("ink", "sunken", 14.2),
    ("ink-2", "surface", 8.4), ("ink-2", "bg", 7.7), ("ink-2", "sunken", 7.1),
    ("ink-3", "surface", 5.9), ("ink-3", "bg", 5.4), ("ink-3", "sunken", 5.0),
    ("edge", "surface", 3.7), ("edge", "bg", 3.4), ("edge", "sunken", 3.1),
    ("brand", "surface", 7.8), ("brand", "bg", 7.1), ("on-brand", "brand", 7.8), ("on-brand-2", "brand", 4.5),
    ("brand-strong", "brand-tint", 8.9),
    ("breach", "surface", 6.5), ("on-breach", "breach", 6.5), ("breach-ink", "breach-tint", 7.8), ("breach-ink", "surface", 8.9),
    ("on-warn", "warn", 9.1), ("warn-arc", "surface", 4.1), ("warn-arc", "sunken", 3.5),
    ("warn-ink", "warn-tint", 6.9), ("warn-ink", "surface", 7.6),
    ("ok", "surface", 4.9), ("on-ok", "ok", 4.9), ("ok-ink", "ok-tint", 7.0), ("ok-ink", "surface", 8.1),
    ("info", "surface", 7.0), ("info-ink", "info-tint", 7.9), ("info-ink", "surface", 7.0),
    ("idle", "surface", 6.2), ("idle", "bg", 5.7), ("on-ink", "ink", 16.7), ("on-ink-2", "ink", 7.0), ("on-p1", "p1", 6.5),
]  # fmt: skip
WALL_PAIRS = [
    ("ink", "bg", 17.4), ("ink-2", "bg", 10.5), ("ink-3", "bg", 7.1), ("ink-3", "surface", 4.5),
    ("breach", "bg", 6.7), ("breach", "surface", 6.2), ("breach-ink", "surface", 8.7), ("on-p1", "p1", 5.2),
    ("warn", "bg", 14.0), ("warn", "surface", 12.9), ("ok", "bg", 12.4), ("info", "bg", 7.1), ("idle", "bg", 6.3), ("brand", "bg", 9.4),
    ("on-ink", "ink", 7.0), ("on-warn", "warn", 7.0), ("edge", "surface", 3.0),
]  # fmt: skip


@pytest.mark.parametrize(("ink", "ground", "least"), LIGHT_PAIRS)
def test_light_contrast_is_at_least_the_table(ink, ground, least):
    assert contrast(LIGHT[f"--{ink}"], LIGHT[f"--{ground}"]) >= least


@pytest.mark.parametrize(("ink", "ground", "least"), WALL_PAIRS)
def test_wall_contrast_is_at_least_the_table(ink, ground, least):
    assert contrast(WALL[f"--{ink}"], WALL[f"--{ground}"]) >= least


def test_raw_colours_are_written_in_tokens_only():
    raw = re.compile(r"#[0-9a-fA-F]{3,8}\b")
    guilty = {}
    for path in CSS.rglob("*.css"):
        if path.name == "tokens.css":
            continue
        css = without_comments(path)
        if path.name == "ward.css":
            css = css.replace(re.search(r":root\{.*?\}", css, flags=re.DOTALL).group(0), "", 1)
        if found := raw.findall(css):
            guilty[path.name] = found

    assert guilty == {}


def test_every_variable_used_is_a_token():
    used = {}
    for path in CSS.rglob("*.css"):
        known = block(without_comments(path), ":root") if path.name == "ward.css" else LIGHT
        missing = set(re.findall(r"var\((--[\w-]+)", without_comments(path))) - set(known) - {"--base-font-sans"}
        if missing:
            used[path.name] = missing

    assert used == {}


def test_ward_sheet_has_the_same_tokens():
    ward = block(without_comments(CSS / "ward.css"), ":root")
    # Touch pages outline their controls with the strong edge (design.md 2.1, row ctl).
    expected = LIGHT | {"--ctl": LIGHT["--edge"]}

    assert {name: value for name, value in ward.items() if expected.get(name) != value} == {}


def rules(css: str) -> dict[str, str]:
    flat = re.sub(r"@[^{]+\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", css)
    return {sel.strip(): body.strip() for sel, body in re.findall(r"([^{}]+)\{([^{}]*)\}", flat)}


# What the ward draws differently on purpose: bigger type, bigger targets.
WARD_OWN = re.compile(
    r"^(:root|body|a|html|h1|button|\.i$|\.row|\.btn|\.stop \.d|\.tag|\.inp|textarea|\.errt|\.fld|\.help|\.ban"
    r"|\.b,|\.m,|\.t\d|\.gap|\.mt|\.al|:focus|\[hidden|\.dock|\.grow)"
)


def test_what_ward_and_components_both_draw_is_the_same():
    ward = rules(without_comments(CSS / "ward.css"))
    shared = rules(without_comments(CSS / "base.css")) | rules(without_comments(CSS / "components.css"))
    differing = {sel for sel in set(ward) & set(shared) if not WARD_OWN.match(sel) and ward[sel] != shared[sel]}

    assert differing == set()
    assert len(set(ward) & set(shared)) > 40


def test_ward_sheet_stays_small():
    assert (CSS / "ward.css").stat().st_size <= WARD_BYTES


def test_no_sheet_passes_the_wall_of_500_lines():
    assert {p.name: n for p in CSS.rglob("*.css") if (n := len(p.read_text().splitlines())) > 500} == {}

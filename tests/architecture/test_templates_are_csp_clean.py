"""A strict policy forbids inline style, script and handlers: no template of ours may carry one, nor name an icon that is not there."""

import re
from pathlib import Path

from django.template.loader import get_template

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
PAGES = [
    p for p in sorted(TEMPLATES.rglob("*.html")) if "messages" not in p.relative_to(TEMPLATES).parts
]  # mail has no policy
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))

FORBIDDEN = {
    "inline style": re.compile(r"<[a-zA-Z][^>]*\sstyle\s*=", re.DOTALL),
    "style element": re.compile(r"<style\b", re.IGNORECASE),
    "event handler": re.compile(r"<[a-zA-Z][^>]*\son[a-z]+\s*=", re.DOTALL | re.IGNORECASE),
    "javascript address": re.compile(r"(?:href|src|action)\s*=\s*[\"']\s*javascript:", re.IGNORECASE),
    "script from elsewhere": re.compile(
        r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)\s*=\s*[\"'](?:https?:)?//", re.IGNORECASE
    ),
    "unescaped data": re.compile(r"\|\s*safe\b|autoescape off"),
}
SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL | re.IGNORECASE)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_template_carries_what_the_policy_forbids():
    found = {
        f"{relative(page)}: {name}"
        for page in PAGES
        for name, pattern in FORBIDDEN.items()
        if pattern.search(page.read_text(encoding="utf-8"))
    }

    assert found == set()


def test_scripts_are_files_and_modules():
    guilty = []
    for page in PAGES:
        for attributes, body in SCRIPT.findall(page.read_text(encoding="utf-8")):
            is_data = "application/json" in attributes
            if not is_data and (body.strip() or "src=" not in attributes):
                guilty.append(relative(page))

    assert guilty == []


def test_scripts_never_turn_data_into_markup():
    sinks = re.compile(
        r"\.(?:innerHTML|outerHTML)\s*=|insertAdjacentHTML|document\.write|\beval\(|new Function\(|setAttribute\(\s*[\"']style"
    )

    assert [relative(s) for s in SCRIPTS if sinks.search(s.read_text(encoding="utf-8"))] == []


def test_every_icon_named_in_a_template_is_in_the_sprite():
    sprite = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (ROOT / "static/img/icons.svg").read_text(encoding="utf-8")))
    named = {
        (relative(page), name)
        for page in PAGES
        for name in re.findall(r"{%\s*icon(?:_inline)?\s+[\"']([a-z0-9-]+)[\"']", page.read_text(encoding="utf-8"))
    }

    assert {(page, name) for page, name in named if name not in sprite} == set()


def test_every_template_parses():
    for page in PAGES:
        get_template(str(page.relative_to(TEMPLATES)))


def test_scripts_only_say_words_that_the_server_gives():
    from config.kernel.words import js_words

    said = {key for script in SCRIPTS for key in re.findall(r"\bsay\(\s*\"(\w+)\"", script.read_text(encoding="utf-8"))}

    assert said <= set(js_words())

"""Fails when a string that a person reads has no English, and when a template says Chinese outside a translation tag."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polib
import setup

ROOT = Path(setup.ROOT)
CATALOGUE = Path("config/locale/en/LC_MESSAGES/django.po")
SAMPLES = {"design"}  # the developers' gallery of components, with made-up content
SHOWN = 40
CHINESE = re.compile(r"[\u3400-\u9fff]")
TRANSLATED = re.compile(
    r"{%\s*(?:trans|translate)\b.*?%}|{%\s*(?:blocktrans|blocktranslate)\b.*?{%\s*end(?:blocktrans|blocktranslate)\s*%}"
    r"|{%\s*comment\b.*?{%\s*endcomment\s*%}|{#.*?#}|{{[^}]*_\(.*?}}|{%[^%]*_\(.*?%}",
    re.DOTALL,
)


def sources() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [Path(name) for name in listed if name and (ROOT / name).is_file()]


def fresh_catalogue(folder: Path) -> polib.POFile:
    """What makemessages finds today, made in a copy so that a check changes nothing."""
    for name in sources():
        if name.suffix in {".py", ".html", ".txt", ".po", ".js"} and name.parts[0] not in {"tests", ".ci"}:
            (folder / name.parent).mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    command = [setup.PYTHON, "manage.py", "makemessages", "-l", "en", "--no-wrap", "--no-location", "-v0"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        setup.stop(f"The messages could not be extracted: {done.stderr.strip()[-300:]}")
    return polib.pofile(str(folder / CATALOGUE))


def without_english(catalogue: polib.POFile) -> list[str]:
    live = [entry for entry in catalogue if not entry.obsolete]
    return [entry.msgid for entry in live if CHINESE.search(entry.msgid) and (entry.fuzzy or not entry.translated())]


def chinese_in_english(catalogue: polib.POFile) -> list[str]:
    """Translations that still hold Chinese, the names of the languages themselves excepted."""
    return [
        entry.msgid for entry in catalogue if CHINESE.search(entry.msgstr) and entry.msgid not in {"中文", "简体中文"}
    ]


def bare_templates() -> list[str]:
    found = []
    for name in sources():
        if name.parts[0] == "templates" and name.parts[1] not in SAMPLES and name.suffix in {".html", ".txt"}:
            text = TRANSLATED.sub(lambda match: "\n" * match[0].count("\n"), (ROOT / name).read_text())
            found += [
                f"{name}:{number}: {line.strip()}"
                for number, line in enumerate(text.splitlines(), 1)
                if CHINESE.search(line)
            ]
    return found


def compiled_is_current() -> bool:
    """The .mo is in the repository so that a fresh machine needs no gettext; it must say what the .po says."""
    source, compiled = polib.pofile(str(ROOT / CATALOGUE)), polib.mofile(str(ROOT / CATALOGUE.with_suffix(".mo")))
    said = {(entry.msgctxt, entry.msgid): entry.msgstr or entry.msgstr_plural for entry in source.translated_entries()}
    return said == {(entry.msgctxt, entry.msgid): entry.msgstr or entry.msgstr_plural for entry in compiled}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        fresh = fresh_catalogue(Path(folder))
    problems = {
        "No English for": without_english(fresh),
        "Chinese in the English of": chinese_in_english(fresh),
        "Chinese outside a translation tag in": bare_templates(),
        "Compile the messages again:": [] if compiled_is_current() else [str(CATALOGUE)],
    }
    for title, items in problems.items():
        for item in items[:SHOWN]:
            print(f"{title} {item}")
        if len(items) > SHOWN:
            print(f"... and {len(items) - SHOWN} more")
    return 1 if any(problems.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

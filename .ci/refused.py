"""Words that open holes (security reference, 5.3). Each place that may say one stands below with its reason."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import setup

ROOT = Path(setup.ROOT)
PYTHON = {
    "mark_safe": r"\bmark_safe\(|\bSafeString\(|\bSafeText\(",
    "extra(": r"\.extra\(",
    "raw SQL": r"\bRawSQL\(|\.raw\(",
    "**request": r"\*\*\s*(?:self\.)?request\.(?:GET|POST|data|query_params|FILES)",
    "verify=False": r"verify\s*=\s*False|CERT_NONE|_create_unverified",
    'fields="__all__"': r"""(?:fields|fieldsets|filterset_fields|ordering_fields)\s*=\s*["']__all__["']""",
    "csrf_exempt": r"@csrf_exempt|\bcsrf_exempt\(",
    "pickle": r"\bimport (?:c?[pP]ickle|marshal|shelve|dill|joblib)\b|\bfrom (?:pickle|marshal|shelve|dill|joblib)\b",
    "AllowAny": r"\bAllowAny[,)\]]",
    "no authentication": r"authentication_classes\s*=\s*[(\[]\s*[)\]]",
    "eval": r"(?<![\w.])(?:eval|exec)\(|\byaml\.load\(",
    "shell": r"shell\s*=\s*True|\bos\.(?:system|popen)\(",
    "own client address": r"HTTP_X_FORWARDED_FOR",
    "text in a log line": r"\blog(?:ger)?\.\w+\(f[\"']",
}
TEMPLATE = {
    "|safe": r"\|\s*safe(?:seq)?\b",
    "autoescape off": r"autoescape\s+off",
    "inline script": r"<script(?![^>]*\bsrc=)(?![^>]*type=\"(?:application/json|importmap)\")",
    "handler attribute": r"<[^>]*\son(?:click|load|error|submit|change|input|focus)\s*=",
    "urlize": r"\|\s*urlize",
}
SCRIPT = {
    "HTML from data": r"\.(?:innerHTML|outerHTML)\s*\+?=|insertAdjacentHTML|document\.write|createContextualFragment",
    "eval": r"(?<![\w.])eval\(|new Function\(",
    "any target": r"postMessage\([^)]*[\"']\*[\"']",
}
RULES = {".py": PYTHON, ".html": TEMPLATE, ".js": SCRIPT}
NOT_OURS = ("tests/", "static/vendor/", ".ci/refused.py")
REASONS = {
    ("mark_safe", "config/kernel/templatetags/wardline.py"): "constants and our own sprite, no text of anybody",
    ("mark_safe", "config/kernel/signs.py"): "pictures made of constants and numbers",
    ("mark_safe", "tickets/sla/queries/display.py"): "a constant dot between parts that are escaped",
    ("csrf_exempt", "tickets/ward/views.py"): "no cookie of ours carries authority there: decision 0003",
    ("AllowAny", "integrations/identity/api.py"): "the token door itself; lock and throttle guard it: decision 0006",
    ("no authentication", "integrations/identity/api.py"): "the token door itself: a foreign cookie must not count there",
    ("raw SQL", "tickets/record/queries.py"): "one constant a database, the value bound",
    ("own client address", "config/proxy.py"): "the one place that reads it",
}  # fmt: skip


def files() -> Iterator[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    every = listed or [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if ".venv" not in path.parts]
    return (path for path in every if Path(path).suffix in RULES and not path.startswith(NOT_OURS))


def hits(path: str) -> Iterator[tuple[str, int]]:
    try:
        text = (ROOT / path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    for rule, pattern in RULES[Path(path).suffix].items():
        for match in re.finditer(pattern, text):
            yield rule, text.count("\n", 0, match.start()) + 1


def main() -> int:
    used: dict[tuple[str, str], int] = {}
    problems = []
    for path in files():
        for rule, line in hits(path):
            if (rule, path) in REASONS:
                used[rule, path] = used.get((rule, path), 0) + 1
            else:
                problems.append(f"{path}:{line}: {rule}; do without it, or give the reason in .ci/refused.py")
    problems += [f"{path}: no {rule} is left there; take its reason out" for rule, path in REASONS.keys() - used]
    for (rule, path), count in sorted(used.items()):
        print(f"{rule:<20}{count:>3} in {path}: {REASONS[rule, path]}")
    print(*problems, sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

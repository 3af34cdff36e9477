"""Secrets that a person committed by mistake: in every tracked file, and in every line that history ever added."""

import hashlib
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import setup

PATTERNS = {
    "private key": r"-----BEGIN (?:RSA |EC |OPENSSH |DSA |PGP )?PRIVATE KEY",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "Aliyun key": r"\bLTAI[0-9A-Za-z]{12,26}\b",
    "GitHub token": r"\bgh[pousr]_[0-9A-Za-z]{36,}\b|\bgithub_pat_[0-9A-Za-z_]{40,}",
    "GitLab token": r"\bglpat-[0-9A-Za-z_-]{20,}",
    "Slack token": r"\bxox[abprs]-[0-9A-Za-z-]{10,}",
    "Google key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "Stripe or OpenAI key": r"\bsk[-_](?:live|proj|ant|[a-z]+)?[-_]?[0-9A-Za-z_-]{24,}",
    "JSON web token": r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}",
    "password in a URL": r"\b[a-z][a-z+]{2,12}://[^\s:/@\"'{}<>$%]{1,60}:[^\s/@\"'{}<>$]{3,80}@[^\s\"'/]{3,}",
}
ASSIGNED = re.compile(
    r"""(?i)\b[\w-]*(?:secret|passwd|password|api_?key|access_?key|auth_?token|private_?key)[\w-]*["']?\s*[:=]\s*
        ["']([0-9A-Za-z+/_=.-]{16,200})["']""",
    re.VERBOSE,
)
RANDOM_ENOUGH = 3.7  # bits a character: words and placeholders stay below
ONE = re.compile("|".join(f"(?P<n{n}>{pattern})" for n, pattern in enumerate(PATTERNS.values())))
BINARY = {".png", ".mo", ".woff2", ".ico", ".zip", ".sqlite3"}
QUIET = ("static/vendor/", "tests/browser/vendor/", "config/requirements/")
# Looked at, and nobody's secret: the first 12 digits of the value's SHA-256, and what it is.
KNOWN = {
    "e6e803d4ec63": "placeholder in config/deploy/env.example",
    "7748fc8cea9c": "placeholder in README.md",
    "b49f839d1e75": "made up in tests/config/test_env.py",
}


def randomness(text: str) -> float:
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def found_in(line: str) -> Iterator[tuple[str, str]]:
    """(kind, value) of everything in a line that looks like a secret and is not known."""
    for match in ONE.finditer(line):
        yield list(PATTERNS)[int((match.lastgroup or "n0")[1:])], match[0]
    for match in ASSIGNED.finditer(line):
        if randomness(match[1]) >= RANDOM_ENOUGH:
            yield "assigned secret", match[1]


def mark(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:12]


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=setup.ROOT, capture_output=True, check=False)
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def lines() -> Iterator[tuple[str, str]]:
    """(where, line) of all that is tracked now and of all that was ever added."""
    path = commit = ""
    for line in git("log", "--all", "-p", "-U0", "--no-color", "--format=commit %h").splitlines():
        if line.startswith("commit "):
            commit = line[7:]
        elif line.startswith("+++ "):
            path = line[6:]
        elif line.startswith("+") and not path.startswith(QUIET):
            yield f"{commit}:{path}", line[1:]
    for path in git("ls-files").splitlines():
        if not path.startswith(QUIET) and not path.endswith(tuple(BINARY)):
            try:
                with open(f"{setup.ROOT}/{path}", encoding="utf-8", errors="replace") as file:
                    yield from ((path, line) for line in file)
            except FileNotFoundError:
                continue  # deleted and not yet committed


def main() -> int:
    problems: dict[str, str] = {}
    looked = 0
    for where, line in lines():
        looked += 1
        for kind, value in found_in(line):
            if mark(value) not in KNOWN:
                problems.setdefault(mark(value), f"{where}: {kind} {value[:4]}... ({mark(value)})")
    if not looked:
        print("NOT CHECKED for secrets: no git history here.")
    print(f"{looked} lines of files and history, {len(KNOWN)} findings known")
    print(*problems.values(), sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

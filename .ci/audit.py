"""The locked packages against what is known about them: floors of our own always, the OSV database when it answers."""

import json
import os
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

import setup
from packaging.version import Version

OSV = os.environ.get("OSV_URL", "https://api.osv.dev/v1/querybatch")
# A release asks for it; an ordinary run must pass on a machine that reaches nothing but its package mirror.
MUST_ANSWER = os.environ.get("OSV_REQUIRED", "").lower() in {"1", "true", "yes"}
LOCKS = [Path(setup.ROOT, "config", "requirements", f"{name}.txt") for name in ("base", "dev")]
# Below these a known hole is open (security reference, section 3).
FLOORS = {
    "django": "5.2.19",
    "djangorestframework": "3.15.2",
    "django-allauth": "65.19.4",
    "h11": "0.16",
    "pyjwt": "2.15",
    "pillow": "12.3",
    "lxml": "6.1",
    "urllib3": "2.6.3",
    "requests": "2.33",
    "orjson": "3.9.15",
    "skops": "0.12",
}
# Advisories that do not touch us, each with the reason and the day on which to look again: {"GHSA-...": "..."}
ACCEPTED: dict[str, str] = {}


def locked(paths: list[Path]) -> dict[str, str]:
    text = "".join(path.read_text() for path in paths)
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s\\;]+)", text, re.MULTILINE))


def below_floor(packages: dict[str, str]) -> list[str]:
    return [
        f"{name} {packages[name]} is below {floor}, which closes known holes"
        for name, floor in FLOORS.items()
        if name in packages and Version(packages[name]) < Version(floor)
    ]


def ask(packages: dict[str, str], url: str = OSV) -> list[str]:
    """What the database knows about exactly these versions. OSError when it cannot be asked."""
    wanted = [{"package": {"name": n, "ecosystem": "PyPI"}, "version": v} for n, v in packages.items()]
    body = json.dumps({"queries": wanted}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - a constant or the operator's
    with urllib.request.urlopen(request, timeout=6) as answer:  # noqa: S310
        results = json.load(answer)["results"]
    return [
        f"{name} {version}: {hole['id']}"
        for (name, version), result in zip(packages.items(), results, strict=True)
        for hole in result.get("vulns", [])
        if hole["id"] not in ACCEPTED
    ]


def main() -> int:
    packages = locked(LOCKS)
    problems = below_floor(packages)
    try:
        problems += ask(packages)
        print(f"{len(packages)} packages asked at OSV, {len(ACCEPTED)} advisories accepted with a reason")
    except (OSError, urllib.error.URLError, ValueError, KeyError) as error:
        print(f"NOT CHECKED against OSV: no answer ({type(error).__name__}); only the {len(FLOORS)} floors were.")
        problems += ["OSV_REQUIRED is set and OSV did not answer"] if MUST_ANSWER else []
    print(*problems, sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

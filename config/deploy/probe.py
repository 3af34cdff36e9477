"""Ask a Wardline process how it is: exit 0 when well. Standard library only, so that asking costs nothing.

probe.py URL [SECONDS] [NAME]    SECONDS: keep asking that long; NAME: only this problem of /readyz counts
"""

import http.client
import json
import os
import sys
import time
from urllib.parse import urlsplit


def well(url: str, name: str) -> bool:
    asked = urlsplit(url)
    ours = urlsplit(os.environ.get("PUBLIC_BASE_URL", "")).netloc or asked.netloc
    connection = http.client.HTTPConnection(asked.hostname or "127.0.0.1", asked.port or 80, timeout=3)
    try:
        connection.request("GET", asked.path, headers={"Host": ours})
        answer = connection.getresponse()
        said = answer.read()
        return name not in json.loads(said)["problems"] if name else answer.status == 200
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return False
    finally:
        connection.close()


def main(url: str, seconds: str = "0", name: str = "") -> int:
    until = time.monotonic() + float(seconds)
    while not well(url, name):
        if time.monotonic() >= until:
            return 1
        time.sleep(0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

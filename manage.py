#!/usr/bin/env python3
"""Django's command line for Wardline; the settings default to development."""

import os
import sys

# So that settings can differ by what a process is for.
PROCESSES = {"web": "web", "qcluster": "worker", "clock": "clock"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    # Said outright, never inherited: a worker that thinks it is a web process would share pooled connections over forks.
    os.environ["WARDLINE_PROCESS"] = PROCESSES.get("".join(sys.argv[1:2]), "command")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

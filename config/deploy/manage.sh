#!/bin/sh
# manage.py as the units would run it: their user, their variables, the current release (or RELEASE=/opt/wardline/releases/2).
export RELEASE="${RELEASE:-/opt/wardline/current}"
exec runuser -u wardline -- sh -c '
    set -a; . /etc/wardline/env; set +a
    umask 022  # nginx reads the static files
    cd "$RELEASE" && exec .venv/bin/python manage.py "$@"' manage.sh "$@"

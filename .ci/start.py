"""`make run`: refuse early what cannot work, install what is missing, then hand over to `manage.py run`."""

import errno
import os
import socket

import setup


def require_free_port(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                setup.stop("Port %d is taken; stop what uses it or run `PORT=%d make run`." % (port, port + 1))
            setup.stop("%s port %d cannot be used: %s." % (host, port, error.strerror))


def main():
    setup.require_python()
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not port.isdigit() or not 0 < int(port) < 65536:
        setup.stop("PORT=%s is not a port number." % port)
    require_free_port(host, int(port))
    setup.ensure_venv()
    setup.sync("base")
    os.chdir(setup.ROOT)
    os.execv(setup.PYTHON, [setup.PYTHON, "manage.py", "run"])


if __name__ == "__main__":
    main()

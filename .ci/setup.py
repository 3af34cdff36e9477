"""Makes .venv hold exactly one locked set. Standard library only, and old syntax: it must run to say what is missing."""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
UV = os.path.join(VENV, "bin", "uv")
HOST = getattr(sys, "_base_executable", sys.executable)  # the Python beside .venv, also when .venv's own asks
NEEDED = (3, 11)
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling every import again would double each start


def stop(sentence):
    sys.stderr.write("\nwardline: " + sentence + "\n")
    sys.exit(1)


def require_python():
    if sys.version_info < NEEDED:
        stop(
            "Python %d.%d is too old; install Python %d.%d or newer and run `make PYTHON=/path/to/python3 ...`."
            % (sys.version_info[0], sys.version_info[1], NEEDED[0], NEEDED[1])
        )


def may_install():
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages):
    """Install Debian packages as root; the answer says whether it worked."""
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    quiet = {"env": environment, "stdout": subprocess.DEVNULL}
    print("Installing " + " ".join(packages) + " with apt-get ...", flush=True)
    subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
    command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends"]
    return subprocess.run(command + list(packages), check=False, **quiet).returncode == 0


def ensure_venv():
    if not os.path.exists(PYTHON):
        make_venv()
    if not os.path.exists(UV) and not any(install_uv(pip) for pip in pips()):
        stop("The package installer uv could not be downloaded; check the network or pip's index (PIP_INDEX_URL).")


def install_uv(pip):
    wish = ["install", "-q", "--retries", "1", "--disable-pip-version-check", "uv>=0.5,<1"]
    return subprocess.run(pip + wish, check=False, stderr=subprocess.DEVNULL).returncode == 0


def pips():
    """The host's own pip working on .venv (22.3 and newer can); where there is none, one unpacked into .venv, which takes
    several seconds."""
    yield [HOST, "-m", "pip", "--python", PYTHON]
    subprocess.run([PYTHON, "-m", "ensurepip"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield [PYTHON, "-m", "pip"]


def make_venv():
    try:
        import ensurepip  # noqa: F401 - Debian leaves it out of python3
    except ImportError:
        package = "python%d.%d-venv" % sys.version_info[:2]
        if not may_install():
            stop("Python's venv module is missing; run `apt-get install %s` as root, then this again." % package)
        if not apt_install([package]):
            stop("Python's venv module is missing and apt-get could not install %s; check the network." % package)
    print("Creating .venv ...", flush=True)
    command = [sys.executable, "-m", "venv", "--without-pip", VENV]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    if done.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        stop("The virtual environment .venv could not be created; see the message above.")


def lock_path(name):
    return os.path.join(ROOT, "config", "requirements", name + ".txt")


def stamp_path(name):
    return os.path.join(VENV, ".wardline-" + name)


def fingerprint(name):
    with open(lock_path(name), "rb") as lock:
        return hashlib.sha256(lock.read() + sys.version.encode()).hexdigest()


def is_current(name):
    try:
        with open(stamp_path(name)) as stamp:
            return stamp.read() == fingerprint(name)
    except OSError:
        return False


def sync(name):
    """Afterwards .venv satisfies the named lock. The development set contains the base set and is never cut back to it."""
    if is_current("dev") or is_current(name):
        return
    if os.path.exists(stamp_path("dev")):
        name = "dev"
    print("Installing the locked packages (%s) ..." % name, flush=True)
    command = [UV, "pip", "sync", "-q", "--require-hashes", "--python", PYTHON, lock_path(name)]
    done = subprocess.run(
        command, check=False, env=index_environment(), stderr=subprocess.PIPE, universal_newlines=True
    )
    if done.returncode:
        reason = " ".join(done.stderr.split())[-300:]
        stop("The locked packages could not be installed; check the network or the index (UV_DEFAULT_INDEX). " + reason)
    with open(stamp_path(name), "w") as stamp:
        stamp.write(fingerprint(name))


def index_environment():
    """uv's environment, pointed at the index that pip was told to use unless uv has its own."""
    environment = dict(os.environ)
    if not any(key in environment for key in ("UV_DEFAULT_INDEX", "UV_INDEX_URL")):
        asked = [HOST, "-m", "pip", "config", "get", "global.index-url"]
        known = (
            environment.get("PIP_INDEX_URL")
            or subprocess.run(
                asked, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True
            ).stdout.strip()
        )
        if known:
            environment["UV_DEFAULT_INDEX"] = known
    return environment


def main():
    require_python()
    ensure_venv()
    sync(sys.argv[1] if len(sys.argv) > 1 else "base")


if __name__ == "__main__":
    main()

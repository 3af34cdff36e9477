"""The examples in config/deploy name only what exists, and leave out nothing that Wardline reads."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

from config.csp import DIRECTIVES

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "config" / "deploy"
SET_BY_THE_UNITS = {"HOST", "PORT", "WARDLINE_PROCESS"}
NOT_FOR_PRODUCTION = {"DEBUG", "AXES_ENABLED"}
READ_ELSEWHERE = {"DJANGO_SETTINGS_MODULE"}


def read_by_settings() -> set[str]:
    """The first argument of every `env.something("NAME", ...)`."""
    names = set()
    for path in (ROOT / "config").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="env")), args=[ast.Constant(value=str(name)), *_]):
                    names.add(name)
    return names


def named_in_example() -> list[str]:
    return re.findall(r"^#?([A-Z][A-Z_]+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE)


def compose() -> dict:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def wanted_by_nginx() -> set[str]:
    text = (DEPLOY / "nginx.conf").read_text()
    return set(re.findall(r"\$\{([A-Z_0-9]+)\}", re.sub(r"^#.*$", "", text, flags=re.MULTILINE)))


def test_the_example_names_every_variable_once():
    names = named_in_example()

    assert len(names) == len(set(names))
    assert set(names) == (read_by_settings() | READ_ELSEWHERE) - SET_BY_THE_UNITS - NOT_FOR_PRODUCTION


def test_every_container_runs_a_command_with_variables_that_exist():
    known = read_by_settings() | READ_ELSEWHERE
    ours = {name: service for name, service in compose()["services"].items() if service["image"] == "wardline"}

    assert sorted(ours) == ["clock", "prepare", "web-1", "web-2", "worker"]
    for name, service in ours.items():
        assert set(service["environment"]) <= known, name
        for command in service["command"] or re.findall(r"manage\.py (\w+)", service["entrypoint"][-1]):
            assert command in get_commands(), (name, command)
        assert service["init"] is True
        assert service["cap_drop"] == ["ALL"]
        assert name == "prepare" or "healthcheck" in service, name


def test_everything_that_waits_for_something_waits_for_a_service():
    services = compose()["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name


def test_nginx_in_a_container_gets_every_name_of_the_template():
    given = compose()["services"]["nginx"]["environment"]
    pattern = re.compile(given.pop("NGINX_ENVSUBST_FILTER").replace("$$", "$"))

    assert set(given) == wanted_by_nginx()
    assert all(pattern.match(name) for name in given)


def test_the_comment_in_the_template_lists_its_names():
    listed = re.search(r"' ([A-Z_0-9 ]+)\)", (DEPLOY / "nginx.conf").read_text())

    assert listed
    assert set(listed[1].split()) == wanted_by_nginx()


def test_static_files_from_nginx_carry_the_policy_of_the_pages():
    policy = re.search(r'set \$policy "([^"]+)"', (DEPLOY / "nginx.conf").read_text())

    assert policy
    assert set(policy[1].split("; ")) == {f"{name} {' '.join(allowed)}" for name, allowed in DIRECTIVES.items()}


@pytest.mark.parametrize("kind", ["web", "worker", "clock"])
def test_a_unit_runs_a_command_that_exists(kind):
    text = (DEPLOY / "systemd" / f"wardline-{kind}@.service").read_text()
    command = re.search(r"manage\.py (\w+)", text)

    assert command
    assert command[1] in get_commands()
    assert (
        set(re.findall(r"([A-Z]+)=", " ".join(re.findall(r"^Environment=(.*)$", text, re.MULTILINE))))
        <= read_by_settings()
    )
    target = (DEPLOY / "systemd" / "wardline.target").read_text()
    assert all(f"wardline-{kind}@{number}.service" in target for number in (1, 2))


def test_the_image_holds_locked_packages_and_no_secret():
    recipe = (DEPLOY / "Dockerfile").read_text()

    assert "--require-hashes" in recipe
    assert recipe.index("USER wardline") < recipe.index("ENTRYPOINT")
    assert "**/.env" in (DEPLOY / "Dockerfile.dockerignore").read_text().split()

"""What a log line may hold."""

import json
import logging

import pytest
from django.core.exceptions import PermissionDenied

from config.logs import JsonFormatter, to_stderr


@pytest.mark.parametrize(("level", "told"), [(logging.WARNING, False), (logging.ERROR, True)])
def test_who_was_refused_takes_one_line_and_our_own_error_says_where(level, told):
    error = PermissionDenied("no")
    record = logging.LogRecord("django.request", level, "", 0, "%s", ("/desk/",), (PermissionDenied, error, None))

    for rule in to_stderr(level="INFO", quiet=())["loggers"]["django.request"]["filters"]:
        assert rule(record)

    assert ("PermissionDenied: no" in json.loads(JsonFormatter().format(record)).get("trace", "")) is told


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/q/k1.n7GLIk.1.M-3x/", "/q/***/"),
        ("//q/k1.n7GLIk.1.M-3x", "//q/***"),
        ("/t/8cB_2k/confirm/", "/t/***/confirm/"),
        ("/desk/tickets/", "/desk/tickets/"),
        ("/q/", "/q/"),
    ],
)
def test_the_token_of_a_report_is_not_written_down(path, said):
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "Not Found: %s", (path,), None)

    assert json.loads(JsonFormatter().format(record))["message"] == f"Not Found: {said}"

"""What a log line may hold."""

import json
import logging

import pytest

from config.logs import JsonFormatter


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

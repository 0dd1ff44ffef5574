"""What a failing test shows of the services' log."""

from tests.log_sections import of_last_request


def test_only_the_last_requests_lines_are_shown() -> None:
    shown = of_last_request(
        'a print of the test\n{"event": "login", "request_id": "1"}\n'
        '{"event": "denied", "request_id": "2"}\n{"event": "request", "request_id": "2"}\n'
    )
    assert "login" not in shown
    assert "denied" in shown
    assert "a print of the test" in shown
    assert shown.startswith("(1 log lines")

"""The documentation at `/help`, as nginx serves it."""

import pytest

from .harness import Gateway

pytestmark = pytest.mark.needs_nginx


@pytest.fixture(autouse=True)
def pages(gateway: Gateway) -> None:
    """What a build of the documentation leaves."""
    (gateway.help / "sharing").mkdir(exist_ok=True)
    (gateway.help / "assets").mkdir(exist_ok=True)
    (gateway.help / "index.html").write_text("<p>Help</p>", encoding="utf-8")
    (gateway.help / "sharing/index.html").write_text("<p>Sharing</p>", encoding="utf-8")
    (gateway.help / "assets/main.0a1b.min.css").write_text("p{}", encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("/help/", b"<p>Help</p>", "text/html; charset=utf-8"),
        ("/help/sharing/", b"<p>Sharing</p>", "text/html; charset=utf-8"),
        ("/help/assets/main.0a1b.min.css", b"p{}", "text/css; charset=utf-8"),
    ],
)
def test_help_is_there_for_everybody(gateway: Gateway, path: str, text: bytes, kind: str) -> None:
    answer = gateway.ask(path)

    assert (answer.status, answer.body) == (200, text)
    assert answer.header("Content-Type") == kind
    assert answer.header("Cache-Control") == "no-cache"
    assert answer.header("X-Content-Type-Options") == "nosniff"


def test_help_takes_scripts_and_styles_from_its_own_files_only(gateway: Gateway) -> None:
    policy = gateway.ask("/help/").header("Content-Security-Policy") or ""

    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self' 'sha256-")
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/help", "/help/sharing"])
def test_an_address_without_its_last_slash_leads_to_the_page(gateway: Gateway, path: str) -> None:
    answer = gateway.ask(path)

    assert answer.status in (301, 308)
    assert answer.header("Location") == f"{path}/"


@pytest.mark.parametrize(
    "path", ["/help/nothing", "/help/../static/x", "/help/assets/", "/helpless"]
)
def test_nothing_else_is_found_there(gateway: Gateway, path: str) -> None:
    assert gateway.ask(path).status == 404


def test_help_is_only_read(gateway: Gateway) -> None:
    assert gateway.ask("/help/", method="POST").status == 405

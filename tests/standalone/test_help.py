"""The documentation at `/help`, as Caddy serves it."""

import pytest

from tests.standalone.harness import Front


@pytest.fixture(autouse=True)
def pages(front: Front) -> None:
    """What a build of the documentation leaves."""
    (front.help / "sharing").mkdir(exist_ok=True)
    (front.help / "assets").mkdir(exist_ok=True)
    (front.help / "index.html").write_text("<p>Help</p>", encoding="utf-8")
    (front.help / "sharing/index.html").write_text("<p>Sharing</p>", encoding="utf-8")
    (front.help / "assets/main.0a1b.min.css").write_text("p{}", encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("/help/", b"<p>Help</p>", "text/html; charset=utf-8"),
        ("/help/sharing/", b"<p>Sharing</p>", "text/html; charset=utf-8"),
        ("/help/assets/main.0a1b.min.css", b"p{}", "text/css; charset=utf-8"),
    ],
)
def test_help_is_there_for_everybody(front: Front, path: str, text: bytes, kind: str) -> None:
    answer = front.ask(path)

    assert (answer.status, answer.body) == (200, text)
    assert answer.header("Content-Type") == kind
    assert answer.header("Cache-Control") == "no-cache"
    assert answer.header("X-Content-Type-Options") == "nosniff"


def test_help_takes_scripts_and_styles_from_its_own_files_only(front: Front) -> None:
    policy = front.ask("/help/").header("Content-Security-Policy") or ""

    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self' 'sha256-")
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/help", "/help/sharing"])
def test_an_address_without_its_last_slash_leads_to_the_page(front: Front, path: str) -> None:
    answer = front.ask(path)

    assert answer.status in (301, 308)
    assert answer.header("Location") == f"{path}/"


@pytest.mark.parametrize(
    "path", ["/help/nothing", "/help/../static/x", "/help/assets/", "/helpless"]
)
def test_nothing_else_is_found_there(front: Front, path: str) -> None:
    assert front.ask(path).status == 404


def test_help_is_only_read(front: Front) -> None:
    assert front.ask("/help/", method="POST").status == 405

"""The front end's files: for a year, compressed, typed, and nothing else of the folder."""

import gzip

import pytest

from .harness import Gateway

pytestmark = pytest.mark.needs_nginx

STYLE = b"body{color:red}" * 500


@pytest.fixture(autouse=True)
def files(gateway: Gateway) -> None:
    """What a build leaves."""
    for name, data in {
        "site-ABCD1234.css": STYLE,
        "site-ABCD1234.js": b"export{}" * 500,
        "icons-ABCD1234.svg": b"<svg/>",
        "webapp-ABCD1234.json": b"{}",
        "site-EFGH5678.css": STYLE,
        "site-EFGH5678.css.gz": gzip.compress(b"precompressed"),
        "sw.js": b"self.x=1",
        "favicon.ico": b"icon",
        "robots.txt": b"User-agent: *",
        "manifest.json": b"{}",
        ".manifest.json": b"{}",
    }.items():
        (gateway.static / name).write_bytes(data)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("site-ABCD1234.css", "text/css; charset=utf-8"),
        ("site-ABCD1234.js", "text/javascript; charset=utf-8"),
        ("icons-ABCD1234.svg", "image/svg+xml; charset=utf-8"),
        ("webapp-ABCD1234.json", "application/json; charset=utf-8"),
    ],
)
def test_a_file_is_kept_for_a_year(gateway: Gateway, name: str, kind: str) -> None:
    answer = gateway.ask(f"/static/{name}")

    assert answer.status == 200
    assert answer.body == (gateway.static / name).read_bytes()
    assert answer.header("Content-Type") == kind
    assert answer.header("Cache-Control") == "public, max-age=31536000, immutable"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Set-Cookie") is None


FIXED = [
    ("sw.js", "text/javascript; charset=utf-8"),
    ("favicon.ico", "image/x-icon"),
    ("robots.txt", "text/plain; charset=utf-8"),
]


@pytest.mark.parametrize(("name", "kind"), FIXED)
def test_a_file_without_a_hash_is_asked_for_each_time(
    gateway: Gateway, name: str, kind: str
) -> None:
    answer = gateway.ask(f"/{name}")

    assert answer.status == 200
    assert answer.body == (gateway.static / name).read_bytes()
    assert answer.header("Content-Type") == kind
    assert answer.header("Cache-Control") == "no-cache"
    assert gateway.ask(f"/static/{name}").status == 404


def test_compressed_as_it_goes_or_beforehand(gateway: Gateway) -> None:
    asked = {"Accept-Encoding": "gzip"}
    going = gateway.ask("/static/site-ABCD1234.css", headers=asked)
    before = gateway.ask("/static/site-EFGH5678.css", headers=asked)

    assert going.header("Content-Encoding") == before.header("Content-Encoding") == "gzip"
    assert going.header("Vary") == before.header("Vary") == "Accept-Encoding"
    assert gzip.decompress(going.body) == STYLE
    assert gzip.decompress(before.body) == b"precompressed"
    assert gateway.ask("/static/site-EFGH5678.css").body == STYLE


@pytest.mark.parametrize(
    "name",
    ["manifest.json", ".manifest.json", "site.css", "", "gone-ABCD1234.css", "x/site-ABCD1234.css"],
)
def test_anything_else_is_not_there_and_not_kept(gateway: Gateway, name: str) -> None:
    answer = gateway.ask(f"/static/{name}")

    assert answer.status == 404
    assert answer.header("Cache-Control") in (None, "no-store")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_files_are_for_reading(gateway: Gateway, method: str) -> None:
    answer = gateway.ask("/static/site-ABCD1234.css", method=method)

    assert (answer.status, answer.header("Allow")) == (405, "GET, HEAD")

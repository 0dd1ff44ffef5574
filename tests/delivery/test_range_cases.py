"""The table of requests, sent to both front servers with the project's own configuration."""

from collections.abc import Iterator
from typing import Protocol

import pytest

from tests.delivery.range_cases import RANGE_CASES, RangeCase
from tests.gateway.harness import ALICE, VIDEO, allow_only, running
from tests.gateway.harness import MEDIA as AT_GATEWAY
from tests.standalone.harness import BYTES, Front


class Answer(Protocol):
    """What both harnesses return."""

    @property
    def status(self) -> int:
        """The status code."""

    @property
    def body(self) -> bytes:
        """The content."""

    def header(self, name: str) -> str | None:
        """Return a header."""


class Ask(Protocol):
    """Sends a request for the video."""

    def __call__(self, method: str, headers: dict[str, str]) -> Answer:
        """Return the answer."""


@pytest.fixture(scope="module")
def ask_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """The gateway with one video of Alice's."""
    with running(tmp_path_factory.mktemp("gateway")) as gateway:
        gateway.put_video(VIDEO)
        gateway.streaming.reply = allow_only(ALICE)
        yield lambda method, headers: gateway.ask(
            AT_GATEWAY, method=method, token=ALICE, headers=headers
        )


@pytest.fixture(scope="module")
def ask_caddy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """The front server of standalone with one video."""
    front = Front(tmp_path_factory.mktemp("front"))
    yield lambda method, headers: front.ask(method=method, headers=headers)
    front.close()


def check(ask: Ask, case: RangeCase, status: int, part: range | None) -> None:
    """Ask, and compare the answer with the table's."""
    known = ask("HEAD", {})
    etag, modified = known.header("ETag"), known.header("Last-Modified")
    assert etag
    assert modified

    answer = ask(case.method, case.filled(etag=etag, modified=modified))

    assert answer.status == status
    if part is None:
        assert answer.header("Content-Range") == ("bytes */1000" if status == 416 else None)
        return
    first, last = part.start, part.stop - 1
    assert answer.body == (b"" if case.method == "HEAD" else BYTES[first : last + 1])
    assert answer.header("Content-Length") == str(len(part))
    assert answer.header("Content-Type") == "video/mp4"
    # nginx says so in a 200 only.
    assert answer.header("Accept-Ranges") in (("bytes",) if status == 200 else ("bytes", None))
    content_range = f"bytes {first}-{last}/1000" if status == 206 else None
    assert answer.header("Content-Range") == content_range


@pytest.mark.needs_nginx
@pytest.mark.parametrize("case", RANGE_CASES, ids=str)
def test_nginx_answers_as_the_table_says(ask_nginx: Ask, case: RangeCase) -> None:
    check(ask_nginx, case, case.status, case.part)


@pytest.mark.parametrize("case", RANGE_CASES, ids=str)
def test_caddy_answers_as_the_table_says(ask_caddy: Ask, case: RangeCase) -> None:
    check(ask_caddy, case, *(case.by_caddy or (case.status, case.part)))

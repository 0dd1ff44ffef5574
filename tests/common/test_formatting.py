"""Words for numbers, and the headers of every answer."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from common.formatting import (
    ago,
    clock,
    date,
    date_and_time,
    duration,
    filesize,
    names,
    spoken_clock,
    whole_number,
)
from common.translation import Reader, use_readers
from tests.conftest import Client, Site


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1 kB"), (123_456, "123.5 kB"),
     (999_950, "1 MB"), (16 << 30, "17.2 GB"), (3 * 10**12, "3 TB"), (10**16, "10000 TB")],
)  # fmt: skip
def test_sizes_in_words(count: int, words: str) -> None:
    assert filesize(count) == words


@pytest.mark.parametrize(
    ("ms", "short", "spoken"),
    [(0, "0:00", "0 seconds"), (1999, "0:01", "1 second"),
     (185_000, "3:05", "3 minutes, 5 seconds"),
     (3_723_000, "1:02:03", "1 hour, 2 minutes, 3 seconds")],
)  # fmt: skip
def test_durations_in_words(ms: int, short: str, spoken: str) -> None:
    assert clock(ms) == short
    assert spoken_clock(ms) == spoken


def test_moments_in_words() -> None:
    assert date(datetime(2026, 11, 4, tzinfo=UTC)) == "4 November 2026"
    present = datetime.now(UTC)
    assert ago(present) == "just now"
    assert ago(present - timedelta(minutes=1, seconds=5)) == "1 minute ago"
    assert ago(present - timedelta(days=3)) == "3 days ago"


@pytest.mark.parametrize("path", ["/login", "/nothing-here", "/api/videos", "/static/none.css"])
def test_every_answer_is_careful(site: Site, path: str) -> None:
    answer = site.browser().get(path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if not path.startswith("/static"):
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"


def test_static_files_are_kept_for_a_year_under_their_hashed_names(
    site: Site, alice: Client
) -> None:
    page = site.browser().get("/login").text
    name = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    with site.browser().get(name) as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "text/css"
        assert "max-age=31536000" in answer.headers["Cache-Control"]


SHARED_CASES = json.loads(
    (Path(__file__).parents[2] / "frontend/test/formats.json").read_text(encoding="utf-8")
)


@pytest.fixture
def speak() -> Iterator[Callable[[str], None]]:
    """Set the reader's language."""
    before = use_readers(Reader)

    def speak(language: str) -> None:
        use_readers(lambda: Reader(language))

    yield speak
    use_readers(before)


@pytest.mark.parametrize("language", SHARED_CASES)
def test_every_language_has_its_forms(language: str, speak: Callable[[str], None]) -> None:
    speak(language)
    cases = SHARED_CASES[language]
    assert {count: filesize(int(count)) for count in cases["bytes"]} == cases["bytes"]
    assert {n: whole_number(int(n)) for n in cases["numbers"]} == cases["numbers"]
    assert [[parts, names(parts)] for parts, _ in cases["lists"]] == cases["lists"]
    days = {moment: date(datetime.fromisoformat(moment)) for moment in cases["days"]}
    assert days == cases["days"]


def test_ages_and_durations_in_another_language(speak: Callable[[str], None]) -> None:
    speak("de")
    assert ago(datetime.now(UTC) - timedelta(days=15)) == "vor 2 Wochen"
    assert duration(30 * 86400) == "30 Tage"
    assert spoken_clock(61_000) == "1 Minute, 1 Sekunde"
    assert date_and_time(datetime(2026, 11, 4, 9, 5, tzinfo=UTC)) == "04.11.2026, 09:05 UTC"

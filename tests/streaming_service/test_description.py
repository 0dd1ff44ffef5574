"""Descriptions: what becomes a link, what stays text, and which lists are chapters."""

import pytest

from streaming_service.videos.description import Chapter, find_chapters, render_description
from tests.conftest import Client

from .conftest import Put

HOUR = 3_600_000


def shown(text: str) -> str:
    return str(render_description(text, duration_ms=HOUR))


def test_addresses_become_links_that_give_nothing_away() -> None:
    assert shown("See https://example.org/a?b=1&c=2.") == (
        'See <a href="https://example.org/a?b=1&amp;c=2" target="_blank"'
        ' rel="nofollow noopener">https://example.org/a?b=1&amp;c=2</a>.'
    )
    assert 'href="http://example.org/Salt_(film)"' in shown("(http://example.org/Salt_(film))")


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "ftp://example.org/",
        "vbscript:x",
        "https://",
        "https://[",
        "xhttps://example.org",
        "<img src=x onerror=alert(1)>",
        "JaVaScRiPt://example.org/%0aalert(1)",
    ],
)
def test_anything_else_stays_text(text: str) -> None:
    page = shown(text)
    assert "<a" not in page
    assert "<img" not in page
    assert "<script" not in page


@pytest.mark.parametrize(
    "text",
    [
        'https://example.org/"onmouseover="alert(1)',
        "https://example.org/'onmouseover='alert(1)",
        "https://example.org/<script>alert(1)</script>",
        "https://example.org/&quot;onclick=&quot;x",
        "https://example.org/\u202e\u0000x",
    ],
)
def test_an_address_cannot_leave_its_attribute(text: str) -> None:
    page = shown(text)
    inside = page.split("<a ", 1)[1].split(">", 1)[0]
    assert inside.count('"') == 6  # href, target and rel
    assert "<script" not in page
    assert page.count("<a ") == page.count("</a>") == 1


def test_no_direction_mark_makes_an_address_look_like_another() -> None:
    assert 'href="https://example.org/"' in shown("https://example.org/\u202egpj.exe")
    text = "0:00 a\n1:00 \u202eb\n2:00 c"
    assert [chapter.title for chapter in find_chapters(text, duration_ms=HOUR)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0:42", 42), ("at 1:05, then", 65), ("(12:00)", 720), ("00:59:59", 3599), ("0:07-0:09", 7)],
)
def test_times_become_jumps(text: str, seconds: int) -> None:
    assert f'<a href="#t={seconds}" data-time="{seconds}">' in shown(text)


@pytest.mark.parametrize(
    "text", ["1:2", "1:75", "2:00:00", "1:00:00", "10:30:15:20", "v1.2:30", "1:61:00", "0:30.5"]
)
def test_what_is_no_time_of_the_video_is_no_jump(text: str) -> None:
    assert "<a" not in shown(text)


CHAPTERS = "A walk.\n\n0:00 Start\n1:30 - The <b>harbour</b>\n[12:05] Salt pans\n"


def test_a_list_of_times_is_the_chapters() -> None:
    assert find_chapters(CHAPTERS, duration_ms=HOUR) == [
        Chapter(0, "Start"),
        Chapter(90, "The <b>harbour</b>"),
        Chapter(725, "Salt pans"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0:00 Start\n1:00 End",
        "0:05 Start\n1:00 Middle\n2:00 End",
        "0:00 Start\n2:00 Middle\n1:00 End",
        "0:00 Start\n1:00 Middle\n1:00 End",
        "0:00\n1:00\n2:00",
        "0:00\n\nStart\n1:00\n\nMiddle\n2:00\n\nEnd",
        "0:00 Start\n1:00 Middle\n3:00:00 End",
    ],
    ids=[
        "none",
        "two",
        "not from 0:00",
        "descending",
        "twice",
        "without titles",
        "titles on other lines",
        "beyond the end",
    ],
)
def test_anything_else_is_no_list_of_chapters(text: str) -> None:
    assert find_chapters(text, duration_ms=HOUR) == []


def test_the_page_shows_links_and_chapters_and_runs_nothing(put: Put, alice: Client) -> None:
    video = put(
        description=CHAPTERS + "<script>alert(1)</script> https://example.org/", duration_ms=HOUR
    )

    page = alice.get(f"/stream/{video}").text

    assert "<script>alert" not in page
    assert "<b>harbour" not in page
    assert 'href="https://example.org/"' in page
    assert 'id="chapters"' in page
    assert page.count('data-time="90"') == 2  # in the description and in the list

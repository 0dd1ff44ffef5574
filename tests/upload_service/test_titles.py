"""Titles: what people call a video, and what a file's name makes of one."""

import pytest

from common.titles import clean_title
from upload_service.titles import title_of_file


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Harbour", "Harbour"),
        ("  two\r\n lines\t", "two lines"),
        ("a\0b\x1bc\x7f", "abc"),
        ("\u202egpj.exe\u2069", "gpj.exe"),
        ("cafe\u0301", "café"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("\x00 \u202a", ""),
        ("x" * 10_000, "x" * 200),
        ("\ud800half", "half"),
    ],
)
def test_a_title_is_one_line_of_visible_text(text: str, title: str) -> None:
    assert clean_title(text) == title


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("film.mp4", "film"),
        ("My.Film.2026.mp4", "My.Film.2026"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\alice\film.MP4", "film"),
        ("-vf", "-vf"),
        ("$(id).mp4", "$(id)"),
        (".mp4", ".mp4"),
        ("Mr. Smith goes to town", "Mr. Smith goes to town"),
        ("\u202e.mp4", "Untitled"),
        ("", "Untitled"),
        ("/", "Untitled"),
    ],
)
def test_a_files_name_becomes_a_title(name: str, title: str) -> None:
    assert title_of_file(name) == title

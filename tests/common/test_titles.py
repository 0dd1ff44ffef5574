"""Titles: one rule for what is uploaded and for what is edited."""

import pytest

from common.titles import clean_line, clean_title


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Harbour", "Harbour"),
        ("  two\r\n lines\t", "two lines"),
        ("a\0b\x1bc\x7f", "abc"),
        ("\u202egpj.exe\u2069", "gpj.exe"),
        ("\ufeffmark", "mark"),
        ("cafe\u0301", "café"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("\x00 \u202a", ""),
        ("\ud800half", "half"),
    ],
)
def test_a_title_is_one_line_of_visible_text(text: str, title: str) -> None:
    assert clean_title(text) == clean_line(text) == title


def test_only_a_title_is_cut() -> None:
    assert clean_title("x" * 10_000) == "x" * 200
    assert clean_line("x" * 10_000) == "x" * 10_000

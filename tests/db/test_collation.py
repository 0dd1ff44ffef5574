"""Comparison of text for search."""

import pytest

from db.collation import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Harbour", "harbour"),
        ("Crème BRÛLÉE", "creme brulee"),
        ("cre\u0301me", "creme"),
        ("Straße", "strasse"),
        ("Ørsted, Łódź", "orsted, lodz"),
        ("İ", "i"),
        ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
        ("한국어", "한국어"),
        ("ﬁlm ℡", "film tel"),
        ("\u0301", ""),
    ],
)
def test_accents_and_case_do_not_count(text: str, folded: str) -> None:
    assert fold(text) == fold(folded) == folded

"""The setting `ACCEPT_FORMATS`."""

import pytest

from common.formats import in_words, read_formats
from common.settings import Environment, SettingsError


@pytest.mark.parametrize(
    ("value", "formats"),
    [
        ("", {"mp4", "mov", "mkv", "webm"}),
        ("mp4", {"mp4"}),
        ("mkv", {"mkv"}),
        ("mp4,mov, MKV webm", {"mp4", "mov", "mkv", "webm"}),
    ],
)
def test_formats_are_words_with_commas_or_blanks(value: str, formats: set[str]) -> None:
    assert read_formats(Environment({"ACCEPT_FORMATS": value})) == formats


@pytest.mark.parametrize("value", ["avi", "mp4,ogg", ",", "mp4;mkv"])
def test_another_word_stops_the_service(value: str) -> None:
    with pytest.raises(SettingsError, match=r"ACCEPT_FORMATS is .*; it takes some of mp4, mov"):
        read_formats(Environment({"ACCEPT_FORMATS": value}))


def test_formats_in_words() -> None:
    assert in_words(frozenset({"mp4"})) == "MP4"
    assert in_words(frozenset({"mkv", "mp4"})) == "MP4 or MKV"
    assert in_words(frozenset({"mkv", "mp4", "webm"})) == "MP4, MKV or WebM"

"""What an account may be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.usernames import InvalidUsername, parse_name
from common.names import name_key


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "alice",
        "Alice B. Toklas",
        "o_o",
        "jean-luc",
        "x.y",
        "Ünïcode",
        "王小明",
        "अमिताभ",
        "سارة",
    ],
)
def test_letters_and_digits_of_any_script_make_a_name(name: str) -> None:
    assert parse_name(name).display == name


@pytest.mark.parametrize(
    "spelling",
    [
        "alice",
        "Alice",
        "ALICE",
        "\uff41\uff4c\uff49\uff43\uff45",
        "alice ",
        " alice",
        "alice\u3000",
        "ⓐlice",
    ],
)
def test_spellings_that_mean_the_same_name_are_one(spelling: str) -> None:
    assert parse_name(spelling).key == "alice"


def test_case_folding_knows_more_than_lower_case() -> None:
    assert parse_name("Straße").key == parse_name("STRASSE").key
    assert parse_name("ΣΊΣΥΦΟΣ").key == parse_name("σίσυφος").key


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "-_-",
        "a" * 41,
        "two  blanks",
        "%",
        "100%",
        "'",
        '"',
        "' OR 1=1 --",
        "<b>",
        "a\x00b",
        "alice\n",
        "a\tb",
        "a/b",
        "a\\b",
        "a@b",
        "a\u200bb",
        "a\u202eb",
        "alice\ufe0f",
        "\u3164",
        "\uff1cscript\uff1e",
        "\uff07",
        "\u0301",
        "a" + "\u0321" * 4,
        "\ud800",
        "🎬",
        "½",
    ],
)
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(InvalidUsername):
        parse_name(name)


def test_a_name_is_measured_after_it_is_normalised() -> None:
    ligature = "\ufdfa"  # eighteen characters once normalised, with blanks in them
    assert len(parse_name(ligature).display) == 18
    with pytest.raises(InvalidUsername):
        parse_name(ligature * 3)


@given(st.text(max_size=40))
def test_a_name_that_is_shown_leads_to_the_same_account(text: str) -> None:
    try:
        name = parse_name(text)
    except InvalidUsername:
        return
    assert name.key == name_key(text) == name_key(name.display) == name_key(name.key)
    assert parse_name(name.display) == name
    assert len(name.display) <= 40
    assert len(name.key) <= 120

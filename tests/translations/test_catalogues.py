"""Every sentence has a translation, and every translation is complete."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from common.translation import LANGUAGES

ROOT = Path(__file__).parents[2]
TRANSLATED = sorted(LANGUAGES.keys() - {"en"})
# As `make messages` finds them.
JINJA = {"encoding": "utf-8", "silent": "false"}
METHODS = {
    "messages": [
        ("*_service/**.py", "python"),
        ("common/**.py", "python"),
        ("**/templates/**.html", "jinja2"),
    ],
    "scripts": [("frontend/src/js/**.js", "javascript")],
}
KEYWORDS = {
    "messages": {"_": None, "gettext": None, "gettext_noop": None, "ngettext": (1, 2)},
    "scripts": {"t": None, "tn": (1, 2)},
}
FOLDERS = {
    "messages": ["auth_service", "common", "streaming_service", "transcode_service",
                 "upload_service"],
    "scripts": ["frontend/src/js"],
}  # fmt: skip
PLACES = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}")

Message = str | tuple[str, ...]


@pytest.fixture(scope="module", params=sorted(METHODS))
def domain(request: pytest.FixtureRequest) -> str:
    """What is translated together: of the services, or of the scripts."""
    domain: str = request.param
    return domain


@pytest.fixture(scope="module")
def used(domain: str) -> set[Message]:
    """The sentences that the code uses."""
    return set(extract(domain))


def extract(domain: str) -> Iterator[Message]:
    for folder in FOLDERS[domain]:
        found = extract_from_dir(
            ROOT / folder,
            method_map=[
                (pattern.removeprefix(f"{folder}/").replace("*_service/", "").replace(
                    "common/", ""), method)
                for pattern, method in METHODS[domain]
            ],
            options_map={"**/templates/**.html": JINJA},
            keywords=KEYWORDS[domain],
        )  # fmt: skip
        for _file, _line, message, _comments, _context in found:
            yield message


def catalogue(language: str, domain: str) -> Catalog:
    path = ROOT / "translations" / language / "LC_MESSAGES" / f"{domain}.po"
    with path.open("rb") as file:
        return read_po(file, locale=language)


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_the_sentences_that_are_used(
    used: set[Message], domain: str, language: str
) -> None:
    ids = {
        tuple(m.id) if isinstance(m.id, (list, tuple)) else m.id
        for m in catalogue(language, domain)
        if m.id
    }
    singulars = {message if isinstance(message, str) else message[0] for message in used}
    known = {message if isinstance(message, str) else message[0] for message in ids}
    assert singulars - known == set(), "not collected: run `make messages`, and translate"
    assert known - singulars == set(), "not used any more: run `make messages`"


def translations(found: Catalog) -> Iterator[tuple[list[str], list[str]]]:
    """Return the forms of each sentence, and those of its translation."""
    for message in found:
        if message.id:
            ids = [message.id] if isinstance(message.id, str) else list(message.id)
            string = message.string or ""
            yield ids, [string] if isinstance(string, str) else list(string)


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_is_complete(domain: str, language: str) -> None:
    found = catalogue(language, domain)
    for ids, strings in translations(found):
        assert len(strings) == (1 if len(ids) == 1 else found.num_plurals), ids
        assert all(strings), f"not translated: {ids[0]!r}"
    assert [message.id for message in found if message.fuzzy and message.id] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_have_the_places_of_the_sentence(domain: str, language: str) -> None:
    for ids, strings in translations(catalogue(language, domain)):
        for string in strings:
            assert sorted(PLACES.findall(string)) == sorted(PLACES.findall(ids[-1])), string


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_can_be_compiled(domain: str, language: str) -> None:
    write_mo(BytesIO(), catalogue(language, domain))

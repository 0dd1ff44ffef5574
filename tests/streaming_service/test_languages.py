"""The pages in other languages: no sentence stays in English."""

import re
from collections.abc import Callable, Iterator

import pytest

from db.models import JobKind, JobState, Role, Visibility
from tests.conftest import Client
from tests.streaming_service.conftest import House
from tests.translations.pages import Texts
from tests.translations.test_catalogues import catalogue, translations

SIGNED_OUT = ("/login", "/password", "/register", "/nothing-here")
PAGES = (
    "/stream",
    "/stream?q=nichts",
    "/stream?whose=mine&view=list",
    "/stream/shared",
    "/stream/bin",
    "/stream/failed",
    "/stream/audit",
    "/stream/{video}",
    "/stream/{video}/edit",
    "/stream/{video}/access",
    "/stream/{video}/links",
    "/stream/{video}/audit",
    "/stream/{binned}",
    "/stream/{rejected}",
    "/collections",
    "/collections/{collection}",
    "/collections/{collection}/access",
    "/upload",
    "/account",
    "/account/links",
    "/groups",
    "/groups/{group}",
    "/admin",
    "/admin/users",
    "/admin/users/{user}",
    "/admin/invitations",
    "/admin/settings",
    "/admin/setup",
    "/admin/setup/joining",
    "/admin/setup/upload",
)


@pytest.fixture(scope="module")
def english() -> re.Pattern[str]:
    """Matches a text that is an English sentence of the catalogue, and is another one in German."""
    sentences = {
        re.sub(r"%\\\(\w+\\\)[sd]", r".+", re.escape(sentence)).replace("%%", "%")
        for ids, strings in translations(catalogue("de", "messages"))
        for sentence in ids
        if sentence not in strings and len(re.sub(r"%\(\w+\)[sd]", "", sentence)) > 3
    }
    return re.compile("|".join(sorted(sentences)), re.DOTALL)


def shown(page: str) -> Iterator[str]:
    """Return the texts and spoken names of a page."""
    texts = Texts()
    texts.feed(page)
    return (" ".join(text.split()) for text in texts.found if text.strip())


def test_pages_in_german_hold_no_english(
    house: House, alice: Client, charlie: Client, put: Callable[..., str], english: re.Pattern[str]
) -> None:
    for browser in (alice, charlie):
        browser.post("/language", data={"language": "de"})
    video = house.put("charlie", title="Ein Tag am Meer", visibility=Visibility.MEMBERS)
    house.add_job(video, JobKind.CHECK, JobState.DONE)
    house.add_job(video, JobKind.REMUX, JobState.RUNNING)
    reason = "This file has audio but no video. Choose a video."
    rejected = house.put("charlie", title="Nur Ton", rejection_reason=reason)
    failed = house.put("charlie", title="Noch einer")
    house.add_job(failed, JobKind.CHECK, JobState.FAILED, error="Processing this video failed.")
    binned = house.put("charlie", title="Fort")
    charlie.post(f"/stream/{binned}/delete")
    charlie.post(f"/stream/{video}/access", data={"who": "alice", "level": "edit", "until": ""})
    collection = charlie.post("/collections", data={"title": "Reise"}).location.split("/")[-1]
    group = charlie.post("/groups", data={"name": "Chor"}).location.split("/")[-1]
    places = {
        "video": video,
        "binned": binned,
        "rejected": rejected,
        "collection": collection.partition("?")[0],
        "group": group.partition("?")[0],
        "user": str(house.viewers["alice"].id),
    }
    left: dict[str, list[str]] = {}
    for path in PAGES:
        answer = charlie.get(path.format(**places))
        assert answer.status_code == 200, path
        assert '<html lang="de"' in answer.text
        if found := [text for text in shown(answer.text) if english.fullmatch(text)]:
            left[path] = found
    for path in SIGNED_OUT:
        answer = house.browser().get(path, headers={"Accept-Language": "de"})
        if found := [text for text in shown(answer.text) if english.fullmatch(text)]:
            left[path] = found
    assert left == {}


def test_errors_are_in_the_readers_language(house: House, charlie: Client) -> None:
    charlie.post("/language", data={"language": "fr"})
    page = charlie.post("/groups", data={"name": " "})
    assert "un groupe compte de 1 à" in page.text
    answer = charlie.get("/api/videos/nothing", headers={"Accept": "application/json"})
    assert answer.json is not None
    assert answer.json["error"].startswith("Il n")


def test_numbers_and_dates_are_in_the_readers_language(
    house: House, put: Callable[..., str]
) -> None:
    reader = house.join("dora", Role.VIEWER)
    reader.post("/language", data={"language": "es"})
    video = put(visibility=Visibility.MEMBERS, size=12_345_678)
    page = reader.get(f"/stream/{video}").text
    assert "12,3 MB" in page.replace("\xa0", " ")

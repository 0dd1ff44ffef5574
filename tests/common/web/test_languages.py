"""In which language a page is."""

import re

import pytest
from werkzeug.test import TestResponse

from tests.conftest import Client, Site


def language(page: TestResponse) -> str:
    """Return the language that a page says it is in."""
    found = re.search(r'<html lang="(\w+)"\s+dir="ltr"', page.text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [("de-AT,de;q=0.9,en;q=0.5", "de"), ("it,fr;q=0.4", "fr"), ("it", "en"), ("", "en")],
)
def test_the_browser_decides_at_first(
    site: Site, alice: Client, accepted: str, expected: str
) -> None:
    page = site.browser().get("/password", headers={"Accept-Language": accepted})
    assert language(page) == expected
    script = re.search(r'src="/static/messages-(\w+)-', page.text)
    assert (script[1] if script else "en") == expected
    assert f'rel="manifest" href="/webapp?language={expected}"' in page.text


def test_a_choice_made_signed_out_is_kept_by_the_browser(site: Site, alice: Client) -> None:
    browser = site.browser()
    answer = browser.post("/language", data={"language": "es", "back": "/login?next=/upload"})
    assert answer.location == "/login?next=/upload"
    assert language(browser.get("/password")) == "es"
    assert language(browser.get("/nothing-here")) == "es"


def test_the_accounts_choice_holds_on_every_device(site: Site, alice: Client) -> None:
    alice.post("/language", data={"language": "de", "back": "/account"})
    phone = site.browser()
    phone.post("/login", data={"username": "alice", "password": "correct horse battery"})
    for path in ("/account", "/stream", "/upload"):
        assert language(phone.get(path)) == "de"


def test_a_change_reaches_the_accounts_other_sessions(site: Site, alice: Client) -> None:
    phone = site.browser()
    phone.post("/login", data={"username": "alice", "password": "correct horse battery"})
    alice.post("/language", data={"language": "fr"})
    assert language(phone.get("/stream")) == "fr"
    alice.post("/language", data={"language": ""})
    assert language(phone.get("/stream")) == "en"


def test_a_language_that_is_not_there_is_refused(site: Site) -> None:
    assert site.browser().post("/language", data={"language": "xx"}).status_code == 422


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_the_choice_leads_back_to_this_site_only(site: Site, back: str) -> None:
    answer = site.browser().post("/language", data={"language": "de", "back": back})
    assert answer.location == "/"

"""The site as an app on a home screen."""

import re

import pytest

from tests.conftest import Client, Site


def test_the_app_has_the_name_of_the_site_and_its_icons(site: Site, alice: Client) -> None:
    alice.post("/admin/settings", data={"name": "Family films"})
    page = site.browser().get("/login").text
    address = re.search(r'rel="manifest" href="([^"]+)"', page)
    assert address is not None
    answer = site.browser().get(address[1])
    assert answer.mimetype == "application/manifest+json"
    app = answer.json
    assert app is not None
    assert (app["name"], app["short_name"]) == ("Family films", "Family films")
    icons = app["icons"] + app["shortcuts"][0]["icons"]
    for icon in icons:
        with site.browser().get(icon["src"]) as picture:
            assert picture.mimetype == icon["type"]


@pytest.mark.parametrize(
    ("language", "first"), [("de", "Mediathek"), ("en", "Library"), ("xx", "Library")]
)
def test_its_shortcuts_are_in_the_language_of_the_page(
    site: Site, language: str, first: str
) -> None:
    app = site.browser().get("/webapp", query_string={"language": language}).json
    assert app is not None
    assert app["shortcuts"][0]["name"] == first

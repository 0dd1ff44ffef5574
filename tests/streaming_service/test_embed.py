"""Embedding: who may frame the player, oEmbed, and what previews are told."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conftest import Client

from .conftest import House, Put

FRAMED = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "same-origin"}


def test_the_player_alone_is_for_those_who_may_watch(
    put: Put, alice: Client, bob: Client, nobody: Client
) -> None:
    public, private = put(visibility="public", title="Sea"), put()

    page = nobody.get(f"/embed/{public}")
    assert page.status_code == 200
    assert f"/stream/{public}/video.mp4" in page.text
    assert "Search videos" not in page.text
    assert nobody.get(f"/embed/{private}").status_code == 404
    assert bob.get(f"/embed/{private}").status_code == 404
    assert alice.get(f"/embed/{private}").status_code == 200


def test_only_sites_that_are_named_may_frame_it(
    put: Put, nobody: Client, embed_origins: Callable[[str], None]
) -> None:
    video = put(visibility="public")
    assert "frame-ancestors 'none'" in nobody.get(f"/embed/{video}").headers[POLICY]

    embed_origins("https://example.org")

    assert "frame-ancestors https://example.org" in nobody.get(f"/embed/{video}").headers[POLICY]
    assert "frame-ancestors 'none'" in nobody.get(f"/stream/{video}").headers[POLICY]


POLICY = "Content-Security-Policy"


@pytest.fixture
def embed_origins(house: House, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Set `EMBED_ORIGINS` of the running app."""

    def set_origins(*origins: str) -> None:
        settings = replace(house.services.settings, embed_origins=origins)
        monkeypatch.setattr(house.services, "settings", settings)

    return set_origins


def test_oembed_tells_of_public_videos(put: Put, alice: Client, nobody: Client) -> None:
    public = put(visibility="public", title="Sea & <sand>")
    address = f"http://localhost/stream/{public}"

    answer = nobody.get("/oembed", query_string={"url": address, "maxwidth": "320"})

    assert answer.status_code == 200
    assert answer.json["type"] == "video"
    assert answer.json["title"] == "Sea & <sand>"
    assert (answer.json["width"], answer.json["height"]) == (320, 180)
    assert f'src="http://localhost/embed/{public}"' in answer.json["html"]
    # Also for its owner, a private video has nothing to embed.
    for visibility in ("private", "members"):
        hidden = put(visibility=visibility)
        for client in (alice, nobody):
            url = f"http://localhost/stream/{hidden}"
            assert client.get("/oembed", query_string={"url": url}).status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 404),
        ({"url": "http://localhost/login"}, 404),
        ({"url": "http://[::1"}, 404),
        ({"url": "http://elsewhere.example/stream/{video}"}, 404),
        ({"url": "http://localhost/stream/{video}", "format": "xml"}, 501),
        ({"url": "http://localhost/stream/{video}", "maxwidth": "-1"}, 422),
        ({"url": "http://localhost/embed/{video}"}, 200),
    ],
)
def test_oembed_takes_addresses_of_this_site(
    put: Put, nobody: Client, query: dict[str, str], status: int
) -> None:
    video = put(visibility="public")
    asked = {name: value.replace("{video}", video) for name, value in query.items()}

    assert nobody.get("/oembed", query_string=asked).status_code == status


def test_previews_are_told_of_public_videos_only(put: Put, alice: Client, nobody: Client) -> None:
    public, private = put(visibility="public", title="Sea"), put(title="Secret")

    page = " ".join(nobody.get(f"/stream/{public}").text.split())
    assert '<meta property="og:title" content="Sea">' in page
    assert f'content="http://localhost/embed/{public}"' in page
    assert "application/json+oembed" in page
    assert "og:title" not in alice.get(f"/stream/{private}").text


def test_a_link_is_opened_in_a_frame(
    put: Put, alice: Client, nobody: Client, embed_origins: Callable[[str], None]
) -> None:
    """Its cookie is for that site's pages alone."""
    video = put()
    made = alice.post(f"/api/videos/{video}/links", json={"label": "For a page"})
    path = made.json["url"].removeprefix("http://localhost")
    embed_origins("https://example.org")
    shown = nobody.get(path, headers=FRAMED)
    assert "frame-ancestors https://example.org" in shown.headers[POLICY]

    opened = nobody.post(path, headers=FRAMED)

    assert opened.location == f"/embed/{video}"
    for part in ("Partitioned", "SameSite=None", "Secure", "HttpOnly"):
        assert part in opened.headers["Set-Cookie"]


def test_the_watch_page_offers_the_code_where_other_sites_may_show_it(
    put: Put, nobody: Client, alice: Client, embed_origins: Callable[[str], None]
) -> None:
    public, private = put(visibility="public", title='"><script>'), put()
    assert "embed-code" not in nobody.get(f"/stream/{public}").text

    embed_origins("https://example.org")

    page = nobody.get(f"/stream/{public}").text
    assert f"&lt;iframe src=&#34;http://localhost/embed/{public}&#34;" in page
    assert '"><script>' not in page
    assert "embed-code" not in alice.get(f"/stream/{private}").text

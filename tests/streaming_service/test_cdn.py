"""Signed addresses at CDNs, against what the vendors publish."""

import base64
import hashlib
import hmac
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from werkzeug.test import TestResponse

from common.settings import Environment, SettingsError
from streaming_service.delivery.cdn import CdnKind, CdnSettings, CdnUrls, signer
from streaming_service.settings import StreamingSettings
from tests.conftest import Client

from .conftest import House

ORIGIN = "https://token-tester.b-cdn.net"
PATH = "/films/video/0/hls/720p.mp4"


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    """A key for CloudFront."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    """Return a key as it is in a file."""
    kinds = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(*kinds, serialization.NoEncryption()).decode()


@pytest.mark.parametrize(
    ("path", "token"),
    [
        ("/abc/", "HS256-bTMv4RVOkjx2UXLfVDl-JIygaxfSIQP8UCnCy7CILuY"),
        ("/300kb.jpg", "HS256-o10JRWlsAItyAsdKS6jJKjabHN4FrFsplDHPV1idcX4"),
    ],
)
def test_bunny(path: str, token: str) -> None:
    """Vectors of github.com/BunnyWay/BunnyCDN.TokenAuthentication.

    The first is a token in the path: `test_directory_allowed` of python3/test_token.py. The second
    is the token of `plain` in e2e/vectors.json, which has it in the query.
    """
    sign = signer(CdnSettings(CdnKind.BUNNY, ORIGIN, "SecurityKey"))

    url = sign(path, 1598024587 - 60)

    assert url == f"{ORIGIN}/bcdn_token={token}&expires=1598024587{path}"


@pytest.mark.parametrize(
    ("path", "issued", "token"),
    [
        (
            "/case-studies/12345678-90ab-4cde-f012-3456789abcde/",
            1755877101,
            "5WOroVcDINdl2%2BQZxZFHJcJ6l%2Fep4HGIrX3DtSXzWO0%3D",
        ),
        (
            "/case-studies/768bf477-22d5-4545-857d-b155510119ff/",
            1755878057,
            "jeMS5S1F3MIgxvL61UmiX4vODiWtuLfcPV6q%2B0Y3Rig%3D",
        ),
    ],
)
def test_cloudflare(path: str, issued: int, token: str) -> None:
    """Vectors of "Configure token authentication" in developers.cloudflare.com/waf."""
    sign = signer(CdnSettings(CdnKind.CLOUDFLARE, "https://media.example.org", "mysecrettoken"))

    assert sign(path, issued) == f"https://media.example.org{path}?verify={issued}-{token}"


def test_cloudfront(private_key: rsa.RSAPrivateKey) -> None:
    """A canned policy, as CloudFront's guide says: "Create a signed URL using a canned policy"."""
    origin = "https://d111111abcdef8.cloudfront.net"
    sign = signer(CdnSettings(CdnKind.CLOUDFRONT, origin, pem(private_key), "K2JCJMDEHXQW5F"))

    url = sign(PATH, 1767290340)

    query = parse_qs(urlsplit(url).query)
    assert url.startswith(f"{origin}{PATH}?Expires=1767290400&Signature=")
    assert query["Key-Pair-Id"] == ["K2JCJMDEHXQW5F"]
    policy = (
        f'{{"Statement":[{{"Resource":"{origin}{PATH}",'
        '"Condition":{"DateLessThan":{"AWS:EpochTime":1767290400}}}]}'
    )
    [given] = query["Signature"]
    signature = base64.b64decode(given.translate(str.maketrans("-_~", "+=/")))
    private_key.public_key().verify(signature, policy.encode(), padding.PKCS1v15(), hashes.SHA1())


def test_hmac() -> None:
    sign = signer(CdnSettings(CdnKind.HMAC, "https://edge.example.org", "secret"))

    url = sign(PATH, 1000)

    _, expires, mac, rest = urlsplit(url).path.split("/", 3)
    assert (expires, f"/{rest}") == ("1060", PATH)
    expected = hmac.new(b"secret", f"1060{PATH}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(mac + "=") == expected


def test_an_address_works_for_a_minute_at_most() -> None:
    now = 1000.0
    settings = CdnSettings(CdnKind.HMAC, "https://edge.example.org", "secret")
    urls = CdnUrls(settings, prefix="films/", clock=lambda: now)
    seen = set()
    for moment in range(1000, 1100):
        now = moment
        url = urls.url_of("video/0/hls/720p.mp4")
        assert url.endswith("/films/video/0/hls/720p.mp4")
        assert 45 <= int(urlsplit(url).path.split("/")[1]) - moment <= 60
        seen.add(url)

    assert len(seen) == 8  # one for a quarter of a minute


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"CDN": "fastly"}, "CDN is"),
        ({"CDN": "bunny"}, "CDN_URL is required"),
        ({"CDN": "bunny", "CDN_URL": "media.example.org"}, "CDN_URL is"),
        ({"CDN": "bunny", "CDN_URL": "https://a.example/path"}, "CDN_URL is"),
        ({"CDN": "bunny", "CDN_URL": "https://a.example"}, "CDN_KEY is required"),
        (
            {"CDN": "cloudfront", "CDN_URL": "https://a.example", "CDN_KEY": "x"},
            "CDN_KEY_ID is required",
        ),
        (
            {
                "CDN": "cloudfront",
                "CDN_URL": "https://a.example",
                "CDN_KEY": "x",
                "CDN_KEY_ID": "K",
            },
            "CDN_KEY is not a private key",
        ),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        CdnSettings.read(Environment(given))


def test_without_a_cdn_there_are_no_settings() -> None:
    assert CdnSettings.read(Environment({})) is None


SERVICE = {"DATABASE_URL": "sqlite://", "REDIS_URL": "redis://localhost", "VIDEOS_DIR": "/videos"}
CDN = {"CDN": "hmac", "CDN_URL": "https://edge.example.org", "CDN_KEY": "secret"}
BUCKET = {
    "S3_ENDPOINT": "https://s3.example.org",
    "S3_BUCKET": "films",
    "S3_ACCESS_KEY": "key",
    "S3_SECRET_KEY": "secret",
}


def test_a_cdn_without_an_object_store_is_refused() -> None:
    with pytest.raises(SettingsError, match="CDN is set, but no object store"):
        StreamingSettings.read(Environment(SERVICE | CDN))


def test_a_cdn_may_remain_where_new_videos_stay_on_the_disk() -> None:
    read = StreamingSettings.read(Environment(SERVICE | CDN | BUCKET | {"STORE": "disk"}))

    assert read.media_origins == "https://edge.example.org"


@pytest.fixture
def with_cdn(house: House, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the running app a CDN, and return its origin."""
    cdn = CdnSettings.read(Environment(CDN))
    assert cdn is not None
    monkeypatch.setattr(house.services, "settings", replace(house.services.settings, cdn=cdn))
    return cdn.origin


def policy_of(answer: TestResponse) -> dict[str, str]:
    """Return the content security policy of a page, by directive."""
    assert answer.status_code == 200
    parts = answer.headers["Content-Security-Policy"].split("; ")
    return {name: rest for name, _, rest in (part.partition(" ") for part in parts)}


def test_only_pages_with_a_player_may_read_from_the_cdn(
    house: House, with_cdn: str, alice: Client
) -> None:
    video = house.put(visibility="public")

    for path in (f"/stream/{video}", f"/embed/{video}"):
        policy = policy_of(alice.get(path))
        assert policy["connect-src"] == f"'self' {with_cdn}"
        assert policy["media-src"] == f"'self' {with_cdn} blob:"
        assert policy["img-src"] == "'self' data:"
    assert with_cdn not in str(policy_of(alice.get("/stream")))


def test_the_panel_says_when_a_change_takes_effect(
    house: House, alice: Client, request: pytest.FixtureRequest
) -> None:
    path = f"/stream/{house.put()}/access"
    assert "within a minute" not in alice.get(path).text

    request.getfixturevalue("with_cdn")

    assert "within a minute" in alice.get(path).text

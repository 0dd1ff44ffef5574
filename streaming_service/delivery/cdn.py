"""Addresses of files at a CDN that reads the object store, signed for a minute.

The player asks the front server for each segment, which authorises it as always and then redirects
to such an address. So access ends for whoever asks for the next segment, and an address that was
given away works for a minute at most.

Tokens are not put into playlists: a player does not load the playlist of a film again, so they
would end before the film does.
"""

import base64
import enum
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

from common.settings import HOST_NAME, Environment, SettingsError

LIFETIME = 60
"""Seconds for which an address works, at most."""

_WINDOW = 15  # seconds for which a process gives the same address
_KEPT = 4096  # addresses
_ORIGIN = re.compile(rf"https?://{HOST_NAME.pattern}(:[0-9]{{1,5}})?/?", re.ASCII | re.IGNORECASE)


class CdnKind(enum.StrEnum):
    """Whose format the tokens have."""

    BUNNY = "bunny"
    CLOUDFLARE = "cloudflare"
    CLOUDFRONT = "cloudfront"
    HMAC = "hmac"


@dataclass(frozen=True)
class CdnSettings:
    """A CDN in front of the object store.

    :ivar origin: its scheme and host.
    :ivar key: the secret that it shares; of CloudFront, a private key in PEM.
    :ivar key_id: of CloudFront, the id of the public key.
    """

    kind: CdnKind
    origin: str
    key: str = field(repr=False)
    key_id: str = ""

    @classmethod
    def read(cls, environment: Environment) -> "CdnSettings | None":
        """Return the settings, or None if no CDN is named.

        :raises SettingsError: naming the first setting that is missing or wrong.
        """
        kind = environment.choice("CDN", ("", *CdnKind), "")
        if not kind:
            return None
        origin = environment.text("CDN_URL")
        if not _ORIGIN.fullmatch(origin):
            raise SettingsError(
                f"CDN_URL is {origin!r}; it takes an address such as https://media.example.org."
            )
        found = cls(
            CdnKind(kind),
            origin.rstrip("/"),
            environment.secret("CDN_KEY"),
            environment.text("CDN_KEY_ID") if kind == CdnKind.CLOUDFRONT else "",
        )
        if found.kind is CdnKind.CLOUDFRONT:
            _cloudfront(found)  # it reads the key
        return found


class CdnUrls:
    """The signed addresses of objects at a CDN.

    :param prefix: what all keys begin with in the bucket.
    :param clock: the time in Unix seconds.
    """

    def __init__(
        self, settings: CdnSettings, *, prefix: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self._prefix = prefix
        self._clock = clock
        self._sign = signer(settings)
        self._made = lru_cache(maxsize=_KEPT)(self._make)

    def url_of(self, key: str) -> str:
        """Return an address of an object that works for 45 to 60 seconds from now."""
        return self._made(key, int(self._clock() // _WINDOW))

    def _make(self, key: str, window: int) -> str:
        return self._sign(f"/{self._prefix}{key}", window * _WINDOW)


def signer(settings: CdnSettings) -> Callable[[str, int], str]:
    """Return the function that signs a path at a time: `sign(path, issued)`.

    `issued` is in Unix seconds; the address works until :data:`LIFETIME` later.
    """
    match settings.kind:
        case CdnKind.BUNNY:
            return lambda path, issued: _bunny(settings, path, issued + LIFETIME)
        case CdnKind.CLOUDFLARE:
            return lambda path, issued: _cloudflare(settings, path, issued)
        case CdnKind.CLOUDFRONT:
            return _cloudfront(settings)
        case CdnKind.HMAC:
            return lambda path, issued: _hmac(settings, path, issued + LIFETIME)


def _mac(settings: CdnSettings, message: str) -> bytes:
    return hmac.digest(settings.key.encode(), message.encode(), hashlib.sha256)


def _url_safe(mac: bytes) -> str:
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def _bunny(settings: CdnSettings, path: str, expires: int) -> str:
    """Sign in the path (Bunny's "token authentication", version 2)."""
    token = f"HS256-{_url_safe(_mac(settings, f'{path}{expires}'))}"
    return f"{settings.origin}/bcdn_token={token}&expires={expires}{path}"


def _cloudflare(settings: CdnSettings, path: str, issued: int) -> str:
    """Sign as `is_timed_hmac_valid_v0` of Cloudflare's rules checks it, in the query.

    The rule says how long the token lives.
    """
    token = quote(base64.b64encode(_mac(settings, f"{path}{issued}")).decode(), safe="")
    return f"{settings.origin}{path}?verify={issued}-{token}"


def _hmac(settings: CdnSettings, path: str, expires: int) -> str:
    """Sign in the path, in a format of our own for servers that can be programmed."""
    return f"{settings.origin}/{expires}/{_url_safe(_mac(settings, f'{expires}{path}'))}{path}"


def _cloudfront(settings: CdnSettings) -> Callable[[str, int], str]:
    """Sign by a canned policy, in the query, with RSA and SHA-1, as CloudFront asks.

    :raises SettingsError: the key cannot be read, or boto3 is not installed.
    """
    try:
        from botocore.signers import CloudFrontSigner  # noqa: PLC0415 (boto3 is optional)
    except ModuleNotFoundError as error:
        raise SettingsError("CDN=cloudfront needs boto3: requirements/s3.txt") from error
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415

    try:
        key = serialization.load_pem_private_key(settings.key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise SettingsError("CDN_KEY is not a private key in PEM.") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SettingsError("CDN_KEY is not a private key of RSA.")

    def sign_message(message: bytes) -> bytes:
        return key.sign(message, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 (CloudFront's)

    found = CloudFrontSigner(settings.key_id, sign_message)

    def sign(path: str, issued: int) -> str:
        until = datetime.fromtimestamp(issued + LIFETIME, UTC)
        url: str = found.generate_presigned_url(f"{settings.origin}{path}", date_less_than=until)
        return url

    return sign

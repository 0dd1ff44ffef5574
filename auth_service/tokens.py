"""Tokens of links: those that invite, and those that set a password.

A token has 256 random bits, is told once, and is stored as its SHA-256.
"""

import secrets
from dataclasses import dataclass

import segno

from common.stores.sessions import token_hash

TOKEN_LIMIT = 100
"""Characters of a token, at most; ours have 43. A longer one is nobody's."""


def new_token() -> tuple[str, str]:
    """Return a new token and the hash to store."""
    token = secrets.token_urlsafe(32)
    return token, token_hash(token)


@dataclass(frozen=True)
class NewAddress:
    """An address with a token, which is shown this once."""

    url: str

    @property
    def qr_code(self) -> str:
        """The address as a QR code: the URL of an SVG drawing."""
        return segno.make(self.url, error="m").svg_data_uri(scale=4, border=3, light="#fff")

"""What is wrong with requests to several of the APIs."""

from common.errors import Unprocessable


class BadQuery(Unprocessable):
    """A query parameter is unknown or malformed; a page would ignore it."""

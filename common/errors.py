"""Errors that are expected: exceptions with an HTTP status and a sentence for people.

Each is defined beside the code that raises it, as a subclass of :class:`MatineeError`; the ones
here are shared. `common.web.error_handlers` renders them as pages or JSON. This module loads no web
framework.
"""

from typing import ClassVar

from common.translation import gettext, gettext_noop


class MatineeError(Exception):
    """Something that is expected to go wrong.

    :param sentence: for people, in the reader's language: what happened and what to do; the
        class's own, marked by `gettext_noop`, if it is left out.
    :cvar retry_after: seconds after which a client may try again.
    :ivar headers: to be sent with the answer.
    """

    status: ClassVar[int] = 400
    sentence: str = ""
    retry_after: ClassVar[int | None] = None

    def __init__(self, sentence: str = "") -> None:
        self.sentence = sentence or (gettext(self.sentence) if self.sentence else "")
        super().__init__(self.sentence)
        retry = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        self.headers: dict[str, str] = retry


class NotFound(MatineeError):
    """Not there, or not for the caller: the answer must not tell which."""

    status = 404
    sentence = gettext_noop("There is nothing here, or it is not yours to see.")


class LoginRequired(MatineeError):
    """Nobody is signed in. A page that was fetched is answered by a redirect to the login page."""

    status = 401
    sentence = gettext_noop("You are signed out. Sign in to continue.")


class Forbidden(MatineeError):
    """The caller is known, and may not do this."""

    status = 403


class Unprocessable(MatineeError):
    """The input was understood and is wrong; the sentence says what to change."""

    status = 422


class Conflict(MatineeError):
    """The input is valid, and conflicts with what is stored."""

    status = 409

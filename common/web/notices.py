"""What a page says once something has been done: `?done=<word>`."""

from collections.abc import Mapping

from flask import request

from common.translation import gettext


def notice_of(notices: Mapping[str, str]) -> str | None:
    """Return the sentence for what the request's address says was done, translated.

    :param notices: sentences that are marked with `gettext_noop`, by their words.
    """
    sentence = notices.get(request.args.get("done", ""))
    return None if sentence is None else gettext(sentence)

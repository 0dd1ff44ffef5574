"""What a browser calls itself, in the words of the account page."""

from common.translation import gettext, gettext_noop

# The order counts: most browsers name the ones that they descend from as well.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("python-requests/", gettext_noop("A Python script")),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def describe_user_agent(user_agent: str) -> str:
    """Say which program on which system: `Firefox on Linux`, `curl`, `Unknown device`.

    The words are ours; nothing of what the client wrote is kept.
    """
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or gettext_noop("Unknown device")


def device_words(device: str) -> str:
    """Return the reader's words for what :func:`describe_user_agent` has returned."""
    browser, on, system = device.partition(" on ")
    if on:
        return gettext("%(browser)s on %(system)s", browser=gettext(browser), system=system)
    return gettext(device)


def _first(marks: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((words for mark, words in marks if mark in user_agent), "")

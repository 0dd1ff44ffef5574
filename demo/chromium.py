"""The browser that takes the pictures: Debian's Chromium."""

import shutil

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--autoplay-policy=no-user-gesture-required",
]


def find_chromium() -> str:
    """Return the path of Chromium.

    :raises FileNotFoundError: it is not installed.
    """
    for name in ("chromium-headless-shell", "chromium"):
        if found := shutil.which(name):
            return found
    raise FileNotFoundError("Chromium is not installed: apt-get install chromium-headless-shell")

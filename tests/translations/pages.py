"""What a page shows as text."""

from html.parser import HTMLParser

ATTRIBUTES = {"title", "placeholder", "aria-label", "aria-description", "alt", "label"}
_NOT_TEXT = ("code", "pre", "kbd", "script", "style")


class Texts(HTMLParser):
    """Collects the texts of a page, and the attributes that are shown or read out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look into the attributes."""
        self._code += tag in _NOT_TEXT
        self.found += [value for name, value in attrs if name in ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        """Leave code."""
        self._code -= tag in _NOT_TEXT

    def handle_data(self, data: str) -> None:
        """Take a text, unless it is code."""
        if not self._code:
            self.found.append(data)

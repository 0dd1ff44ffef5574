"""How usernames are compared."""

import unicodedata


def name_key(given: str) -> str:
    """Return what names are compared by; also of texts that could not be a name."""
    folded = unicodedata.normalize("NFKC", given).casefold()
    # Case-folding can undo the normal form. Once more is enough: the result is its own key.
    return unicodedata.normalize("NFKC", folded).strip(" ")

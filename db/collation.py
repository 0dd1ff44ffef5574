"""Comparison of text for search: accents and case do not count.

MySQL's collation `utf8mb4_0900_ai_ci` does this by itself. SQLite has no such collation, so
`db.engine` gives its connections the function :func:`fold`.
"""

import unicodedata

# Letters with a stroke have no decomposition. The Unicode collation has them equal to their base.
_STROKE_LETTERS = str.maketrans("øđłħŧ", "odlht")


def fold(text: str) -> str:
    """Return a text without accents and case: `Crème BRÛLÉE` and `creme brulee` become equal."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    decomposed = unicodedata.normalize("NFKD", decomposed)
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    # Composed again, so that a syllable of Hangul is one character and not found in parts.
    return unicodedata.normalize("NFC", letters).translate(_STROKE_LETTERS)

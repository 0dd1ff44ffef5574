"""The words by which a video is found: those of its title and description, as they are compared.

A search finds the words that begin with what was typed. Accents and case do not count. Words are
kept in a table, in the same form for both databases, since their own full-text indexes split texts
differently, leave out short or common words, or know no part of a word.
"""

import re
from collections.abc import Iterator

from db.collation import fold

WORD_LIMIT = 40
"""Characters of a word; the rest of a longer one does not count."""

# Letters and digits together, or any other single character, so that “100 %” is found by “%”.
_WORD = re.compile(r"[^\W_]+|[^\w\s]|_")
# Scripts without spaces between words: Thai, kana, Chinese characters, and Hangul, whose words take
# endings. There a word is found by any part of it.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff]"
)


def typed_words(text: str) -> list[str]:
    """Return the beginnings of words that a search asks for, in their order."""
    return [word[:WORD_LIMIT] for word in _WORD.findall(fold(text))]


def indexed_words(*texts: str) -> set[str]:
    """Return the words by which texts are found."""
    return {part[:WORD_LIMIT] for text in texts for part in _parts(text)}


def _parts(text: str) -> Iterator[str]:
    for word in _WORD.findall(fold(text)):
        yield word
        if _UNSPACED.search(word):
            yield from (word[start:] for start in range(1, len(word)))

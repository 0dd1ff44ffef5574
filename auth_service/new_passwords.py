"""New passwords: how strong one is, and which are refused.

There are no rules about kinds of characters (NIST SP 800-63B, 3.1.1.2): zxcvbn estimates how many
guesses a password takes, knowing common passwords, words, dates and patterns of keys.
"""

from collections.abc import Sequence

from zxcvbn import zxcvbn

from common.errors import Unprocessable
from common.passwords import Passwords, require_length
from common.translation import gettext_noop

MIN_SCORE = 2
"""Of 0 to 4; below it a password takes fewer than a million guesses."""
# Characters that are looked at, since the time grows with the length. It grows far faster with the
# number of different characters that may stand for letters ("p4$$w0rd"): 11 seconds for 66 of them.
_MEASURED = 72
_MANY_SYMBOLS = 6
_MEASURED_WITH_MANY = 14
_GUESSED_WORDS = ("matinee",)  # what somebody would try first on this site


class WeakPassword(Unprocessable):
    """Few guesses are needed to find the password."""

    sentence = gettext_noop(
        "This password is easy to guess. Use several unrelated words, or a longer one."
    )


def password_score(password: str, *, own_words: Sequence[str] = ()) -> int:
    """Return how strong a password is: 0, guessed at once, to 4, very unlikely to be guessed.

    :param own_words: such as the name of the account, which somebody would try first.
    """
    words = [word[:_MEASURED] for word in (*_GUESSED_WORDS, *own_words) if word]
    parts = [password[:_MEASURED]]
    if len({character for character in password if not character.isalpha()}) > _MANY_SYMBOLS:
        parts = [password[:_MEASURED_WITH_MANY], password[-_MEASURED_WITH_MANY:]]
    return max(zxcvbn(part, user_inputs=words)["score"] if part else 0 for part in parts)


def hash_new_password(passwords: Passwords, password: str, *, username: str) -> str:
    """Return the hash of a new password of an account.

    :raises InvalidPassword: too short or too long.
    :raises WeakPassword: easy to guess.
    :raises HashingBusy: too many passwords are being hashed.
    """
    require_length(password)
    if password_score(password, own_words=(username,)) < MIN_SCORE:
        raise WeakPassword
    return passwords.hash(password)

"""Passwords: digests that are slow to guess, one-time passwords, and what a new one must be."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from forensic.errors import PasswordRejected

LENGTH_MAX = 256
"""Longer ones are refused: hashing costs time in their length."""
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters that look alike on paper."""
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""Argon2id, 19 MiB, two passes: the least that OWASP's cheat sheet on password storage names."""


def digest_password(password: str) -> str:
    """Return a salted Argon2id digest of a password."""
    return _hasher.hash(password)


def is_password(password: str, digest: str | None) -> bool:
    """Answer whether a password is the one that a digest was made of.

    Without a digest the answer is no, after the same time: nobody learns who has an account.
    """
    if len(password) > LENGTH_MAX:
        return False
    try:
        return _hasher.verify(digest or _decoy(), password) and digest is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _decoy() -> str:
    return _hasher.hash(secrets.token_hex(16))


def new_one_time_password() -> str:
    """Return a password of 16 characters in four groups, 79 bits, to be changed at first use."""
    groups = ["".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4)]
    return "-".join(groups)


def check_new_password(password: str, *, length_min: int, name: str, old: str | None) -> None:
    """Refuse a password that is too short, too plain, or no change.

    Args:
        password: The new one.
        length_min: Least number of characters.
        name: Under which the person signs in.
        old: The present password, where it is known.

    Raises:
        PasswordRejected: It may not be used; the message says why.
    """
    if not length_min <= len(password) <= LENGTH_MAX:
        raise PasswordRejected(f"A password has {length_min} to {LENGTH_MAX} characters.")
    if len(set(password.casefold())) < 6:
        raise PasswordRejected("A password has at least six different characters.")
    if name and name.casefold() in password.casefold():
        raise PasswordRejected("A password does not hold the name it belongs to.")
    if old is not None and secrets.compare_digest(password.encode(), old.encode()):
        raise PasswordRejected("The new password is the old one; choose another.")

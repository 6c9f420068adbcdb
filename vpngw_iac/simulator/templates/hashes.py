"""``uniqueString`` and ``guid``: names that are the same whenever the same texts are hashed.

Azure does not publish what it hashes. Public re-implementations that people compared with Azure's answers join the
texts with dashes; ``uniqueString`` is a MurmurHash of 64 bits in two lanes, in base 32; ``guid`` a UUID of version 5.
What holds here whatever Azure does: the same texts give the same name, 13 characters of ``a-z2-7``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

_GUIDS = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_WORD = 0xFFFFFFFF
_FIRST, _SECOND = 0x239B961B, 0xAB0E9789


def unique_string(texts: Iterable[str]) -> str:
    """13 characters."""
    number = _murmur("-".join(texts).encode())
    return "".join(_ALPHABET[(number << 5 * position >> 59) & 31] for position in range(13))


def guid(texts: Iterable[str]) -> str:
    """A GUID."""
    return str(uuid.uuid5(_GUIDS, "-".join(texts)))


def _murmur(data: bytes) -> int:
    first = second = 0
    whole = len(data) // 8 * 8
    for start in range(0, whole, 8):
        first ^= _stirred(data[start : start + 4], _FIRST, _SECOND, 15)
        first = ((_turned(first, 19) + second) * 5 + 0x561CCD1B) & _WORD
        second ^= _stirred(data[start + 4 : start + 8], _SECOND, _FIRST, 17)
        second = ((_turned(second, 13) + first) * 5 + 0x0BCAA747) & _WORD
    first ^= _stirred(data[whole : whole + 4], _FIRST, _SECOND, 15)
    second ^= _stirred(data[whole + 4 :], _SECOND, _FIRST, 17)
    first, second = first ^ len(data), second ^ len(data)
    first = (first + second) & _WORD
    second = (second + first) & _WORD
    first, second = _mixed(first), _mixed(second)
    first = (first + second) & _WORD
    second = (second + first) & _WORD
    return second << 32 | first


def _stirred(data: bytes, before: int, after: int, turn: int) -> int:
    word = int.from_bytes(data, "little") * before & _WORD
    return _turned(word, turn) * after & _WORD


def _turned(word: int, bits: int) -> int:
    word &= _WORD
    return (word << bits | word >> 32 - bits) & _WORD


def _mixed(word: int) -> int:
    word = (word ^ word >> 16) * 0x85EBCA6B & _WORD
    word = (word ^ word >> 13) * 0xC2B2AE35 & _WORD
    return word ^ word >> 16

"""Texts that nobody would write by hand, the same for every seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

WORDS = (
    "a cat",
    "red",
    " + ",
    " - ",
    "2:",
    "9" * 400 + ":",
    "width > 3",
    " LIKE ",
    "'%a%'",
    " OR ",
)
FILES = ("./x.jpg", "/", "../", "~/", "file:///", "%00", "%ff", "image:" + "a" * 32, "x" * 700)
NO_TEXT = ("\0", "\ud800", "\udfff", "\udc80", "\udcff")  # the last two are bytes of no UTF-8
HARD_TO_READ = (
    *("\x01", "\x1b[31m", "\x7f", "\x85", "\n", "\r\n", "\t", "\u202e", "\u200f", "\u2066"),
    *("\ufeff", "\ufffe", "\U0010ffff", "e\u0335\u0489", "\U0001f600", "\ufdfa", "中文"),
)
SIGNS = ('"', "'", "%", "\\", "(", ")", ";", "--", "{}", "NaN", "1", "-1", "")
PIECES = (*WORDS, *FILES, *NO_TEXT, *HARD_TO_READ, *SIGNS)


def texts(n: int, seed: int) -> Iterator[str]:
    """n texts of up to nine pieces each."""
    rng = random.Random(seed)
    for _ in range(n):
        yield "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 9)))

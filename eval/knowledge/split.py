"""Which countries a thing is tuned, fitted and scored on: by a hash, fixed once.

    tune    30 %   search: fusion, depth, tokens, what the passages say
    fit     30 %   answerability: the regression
    score   40 %   everything that is reported

A country is whole in one part: its questions share its name, its capital, its numbers.
"""

import hashlib
from typing import Literal

__all__ = ["PARTS", "Part", "part_of"]

Part = Literal["tune", "fit", "score"]
PARTS: dict[Part, int] = {"tune": 30, "fit": 30, "score": 40}
_SALT = "ockham-factbook-split-1"


def part_of(code: str) -> Part:
    """Of a country, by the Factbook's two letters."""
    digest = hashlib.blake2b(f"{_SALT}\0{code}".encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") % 100
    for part, share in PARTS.items():
        if place < share:
            return part
        place -= share
    raise AssertionError("the shares make 100")

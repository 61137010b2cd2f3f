"""What must not be told to others: secrets to nobody, places on this machine to no caller.

    masked      without every secret that the process knows, and what else looks like one
    pathless    without folders: an absolute path is its last name

The process knows the secrets of its configuration (`remember`; `Settings` calls it) and those of
its environment, which providers' keys mostly come from, by the names of the variables.

Not covered: a secret that is quoted in part or in another encoding, or that is shorter than
`LEAST`: a short word would be cut out of ordinary text.
"""

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

__all__ = ["LEAST", "masked", "pathless", "remember"]

LEAST = 8
"""Characters of the shortest value that is taken for a secret."""
_MASKED = "***"
_NAMES = re.compile(r"(?i)(?:KEYS?|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$")
_LOOKS = re.compile(
    r"(?i)(?=[abghopstx?&:])(?:"  # what a secret can begin with: three times as fast
    r"((?:api[_-]?key|authorization|password|token|secret)[\"']?\s*[:=]\s*[\"']?"
    r"(?:(?:bearer|basic|token)\s+)?)[^\s\"',;]{4,}"
    r"|(bearer\s+)[^\s\"',;]+"
    r"|([?&]key=)[^\s\"'&]+"
    r"|\b(?:sk|ock|ockham|gsk|xai)[-_][A-Za-z0-9_-]{8,}"
    r"|\b(?:hf_|AIza)[A-Za-z0-9_-]{20,}"
    r"|(://[^/\s:@]*:)[^@\s/]+(?=@))"
)
_PATH = re.compile(r"(?<![\w:/.<])/(?:[^\s/'\":;,]+/)+([^\s/'\":;,]*)")
_remembered: set[str] = set()


def remember(secrets: Iterable[str]) -> None:
    """Mask these from now on; of an address also the password in it."""
    for secret in secrets:
        _remembered.update(s for s in (secret, _password(secret)) if len(s) >= LEAST)


def masked(text: str, *more: str) -> str:
    """The text without secrets. `more`: further ones, however short."""
    known = {*_remembered, *_of_environment(), *filter(None, more)}
    for secret in sorted(known, key=len, reverse=True):  # one may be the beginning of another
        text = text.replace(secret, _MASKED)
    return _LOOKS.sub(lambda m: f"{m[1] or m[2] or m[3] or m[4] or ''}{_MASKED}", text)


def pathless(text: str) -> str:
    """The text without the folders of this machine; addresses stay."""
    return _PATH.sub(lambda m: m[1] or "a folder", text)


def _of_environment() -> Iterable[str]:
    """Read anew each time: LiteLLM reads its keys at the call, too."""
    for name in os.environ:
        value = os.environ.get(name, "").strip() if _names_secret(name) else ""
        if len(value) >= LEAST:
            yield value


@lru_cache(maxsize=4096)  # every line of the log asks
def _names_secret(name: str) -> bool:
    return _NAMES.search(name) is not None


def _password(secret: str) -> str:
    try:
        return urlsplit(secret).password or "" if "://" in secret else ""
    except ValueError:
        return ""

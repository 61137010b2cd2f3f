"""Which image a request may bring: a data URL, or, where the operator allows it, an address of
the public internet, which is passed on to the provider and never fetched here.

Without this a caller could make the gateway, or a model server beside it, fetch an address
that only they can reach. A public name that resolves to a private address is not found out here:
leave addresses off in front of a model server of your own. (For a provider that takes no
addresses LiteLLM fetches the image, and checks what the name resolves to.)
"""

import base64
import binascii
import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from router.gateway.errors import Refused

__all__ = ["check_image"]

_DATA = re.compile(r"data:image/(png|jpeg|jpg|gif|webp);base64,", re.ASCII)
_PRIVATE = (".local", ".internal", ".localhost", ".lan", ".home", ".corp", ".intranet", ".arpa")


def check_image(url: str, param: str, allow_urls: bool) -> None:
    """Raise `Refused` (400) unless the image may be passed on."""
    head = _DATA.match(url)
    if head is not None:
        _check_base64(url[head.end() :], param)
        return
    if url[:5].lower() == "data:":
        raise _bad(param, "a data URL must be data:image/(png|jpeg|gif|webp);base64,...")
    if not allow_urls:
        raise _bad(param, "only data: URLs are accepted (gateway.allow_image_urls is off)")
    if not _is_public(url):
        raise _bad(param, "only https URLs of public host names are accepted")


def _check_base64(text: str, param: str) -> None:
    try:
        empty = not base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _bad(param, "the data URL is not valid base64") from None
    if empty:
        raise _bad(param, "the image is empty")


def _is_public(url: str) -> bool:
    """By its name alone: nothing is looked up, since nothing is fetched here."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return False
    if parts.scheme != "https" or parts.username is not None or port not in (None, 443):
        return False
    try:
        return ip_address(host).is_global
    except ValueError:
        # A name of one label, or one whose last label is a number ("127.1", "0x7f.1"), is none
        # of the public internet.
        last = host.rpartition(".")[2]
        named = "." in host and last.isalpha() and re.fullmatch(r"[a-z0-9.-]+", host) is not None
        return named and not host.endswith(_PRIVATE)


def _bad(param: str, message: str) -> Refused:
    return Refused(400, f"{param}: {message}", "invalid_image_url", param)

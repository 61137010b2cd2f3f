"""Mail furniture: headers, quotes, signatures and disclaimers around what somebody asks.

Headers go where there is a subject or a mark of forwarding, quotes where the rest asks
something, a signature where it is short. Not covered: a thread in which the quote is the ask.
"""

import re

__all__ = ["without_mail"]

_LINE = re.compile(
    r"^(?:(?:from|to|cc|bcc|sent|date|subject|reply-to|von|an|gesendet|betreff|de|para|asunto)"
    r"[ \t]{0,4}:.*|-{2,80}[ \t]{0,4}(?:forwarded|original).*|begin forwarded message.*|"
    r"on .{5,80} wrote:|sent from my .*|get outlook for .*)$",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTED = re.compile(r"^>.*$", re.MULTILINE)
_HEADED = re.compile(
    r"^(?:(?:sent|subject|gesendet|betreff|asunto)[ \t]{0,4}:|-{2,80}[ \t]{0,4}(?:forwarded|"
    r"original)\b)",
    re.IGNORECASE | re.MULTILINE,
)
_WROTE = re.compile(r"^on .{5,80} wrote:$|^sent from my |^>.*\n>", re.IGNORECASE | re.MULTILINE)
_DISCLAIMER = re.compile(
    r"^(?:disclaimer:|confidentiality notice:|.{0,80}\b(?:intended (?:only|solely) for|"
    r"do not print this|unsubscribe|"
    r"consider the environment|(?:e-?mail|message)\b.{0,60}\bconfidential)\b).*$",
    re.IGNORECASE | re.MULTILINE,
)
_HEADERS = 2
_SIGNATURE_CHARS = 300


def without_mail(text: str) -> tuple[str, str]:
    """The text without mail furniture, and what was quoted; the text itself if it is no mail."""
    kept, quoted = _unsigned(text), ""
    if _WROTE.search(text) or (_HEADED.search(text) and len(_LINE.findall(text)) >= _HEADERS):
        kept = _LINE.sub("", kept)
        own = _QUOTED.sub("", kept)
        if own.strip() and ("?" in own or "?" not in kept):
            quoted = "\n".join(_QUOTED.findall(kept))
            kept = own
    return _DISCLAIMER.sub("", kept).strip(), quoted


def _unsigned(text: str) -> str:
    """Without a short last part below "--" that asks nothing and is no code."""
    at = max(text.rfind("\n-- \n"), text.rfind("\n--\n"))
    tail = text[at:]
    long = len(tail) > _SIGNATURE_CHARS
    return text if at < 0 or long or set("?;(") & set(tail) else text[:at]

"""Text of others inside a prompt: it can say anything, and can close or open nothing.

A passage stands between delimiters in the user's turn. What could end that turn or pretend to:

    the delimiters themselves      `</passage>`, also spaced, in other cases or other brackets
    a chat template's own tokens   `<|im_start|>`, `<|eot_id|>`, `[INST]`, `<<SYS>>`, `</s>`,
                                   `<start_of_turn>`, `<think>`: servers read them in any text
    characters nobody sees         zero-width and direction marks, tags, control characters, that
                                   hide the above from a pattern or the text from a reader

Brackets of the first two become ‹ or (, which no template reads; the third is taken out. What it
does not do: judge what a text says. "Ignore all instructions" stays, as data.
"""

import re
import unicodedata

__all__ = ["as_data"]

_OPEN = "<＜﹤‹〈⟨«"
_DELIMITER = re.compile(rf"[{_OPEN}](?=[\s\\/]*passage)", re.IGNORECASE)
_BARRED = re.compile(r"<(?=\s*[|｜])")
_TOKEN = re.compile(
    r"<(?=/?(?:s|bos|eos|pad|unk|think|tool_call|tool_response|tools|"
    r"start_of_turn|end_of_turn|start_of_image|system|user|assistant|human)\s*>)"
    r"|<(?=<\s*/?\s*SYS\s*>>)|(?<=<)<(?=\s*/?\s*SYS\s*>>)",
    re.IGNORECASE,
)
_INST = re.compile(
    r"\[(?=\s*/?\s*(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT)\s*\])"
)
_KEPT = "\n\t"


def as_data(text: str) -> str:
    """The text with everything taken out of force that could end or open a part of a prompt."""
    seen = "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in ("Cc", "Cf"))
    for pattern in (_DELIMITER, _BARRED, _TOKEN):
        seen = pattern.sub("‹", seen)
    return _INST.sub("(", seen)

"""The same question in another dress, for the signals: more kinds than `eval/perturb.py`.

    typos, case, space, manners      as in `eval/perturb.py`
    lead-in       "Answer this: ...", "Could you help me with the following? ..."
    opening       the first words otherwise, by rule ("How many" -> "What is the number of")
    xml, json     inside a tag, inside a field of an object
    agent         inside an agent's instructions
    few-shot      after examples of other questions with their answers
    transcript    as the last turn of a written-down conversation
    numbers       every number that stands alone is another one of the same length
    options       the options of a multiple choice in another order

Labels stay: another number is another question with another answer, but of the same kind.
Some wrappers carry names that `router.signals.wrappers` knows, some do not. A kind that does
not fit a text (no number, no options, no opening that a rule knows) gives None. What this
does not do: paraphrase by meaning, translate.
"""

import ast
import json
import random
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from eval.perturb import KINDS, perturb

__all__ = ["DRESSES", "Option", "change_numbers", "dress", "find_options", "shuffle_options"]

Dress = Callable[[str, random.Random], str | None]

_LEADS = (
    "Answer this: {}",
    "I have a question: {}",
    "Could you help me with the following? {}",
    "Here's something I need sorted out.\n\n{}",
    "{}\n\nWhat do you say?",
    "My request is this. {}",
)
_XML = (
    "<question>{}</question>",
    "<context>session 4, locale en</context>\n<task>\n{}\n</task>",
    "<item id='7'><content>{}</content></item>",
    "<root>\n <payload>{}</payload>\n</root>",
)
_AGENT = (
    "You are an autonomous agent. Tools: search(query), python(code), finish(answer).\n"
    "Think before every call, and never guess.\n\n## Task\n{}\n\n## Rules\n"
    "- At most eight steps\n- End with finish(answer)",
    "You are a careful assistant in a pipeline of several steps. Other steps read your output, "
    "so add nothing to it.\n\nTask: {}",
    "[AGENT STATE]\nstep: 1/10\nmemory: empty\nlast_action: none\n[OBJECTIVE]\n{}\n[END]",
)
_SHOTS = (
    "Q: What colour is a ripe lemon?\nA: Yellow.\n\nQ: Name an animal that barks.\nA: A dog.\n\n"
    "Q: {}\nA:",
    "Question: Say hello in one word.\nAnswer: Hello.\n\n"
    "Question: What is the opposite of up?\nAnswer: Down.\n\nQuestion: {}\nAnswer:",
    "Input: good morning\nOutput: Good morning to you.\n\nInput: {}\nOutput:",
)
_TALK = (
    "User: hi there\nAssistant: Hello! What can I do for you?\nUser: {}\nAssistant:",
    "Customer: Is anybody there?\nAgent: Yes, good afternoon, how may I help?\nCustomer: {}",
    "[09:12] Human: morning\n[09:12] AI: Good morning!\n[09:13] Human: {}",
)
_FIELDS = ("question", "prompt", "task", "payload", "value")

# First words, and what may stand in their place. The rest of the sentence stays as it is.
_OPENINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"how many\b", ("What is the number of", "Tell me the number of")),
    (r"how much\b", ("What amount of", "Tell me how much")),
    (r"how (?:do|can|would) (?:i|you|we)\b", ("What is a way to", "Show me how to")),
    (r"how (?:do|does|did)\b", ("In what way do", "By what means do")),
    (r"(?:what is|what's)\b", ("Tell me what would be", "Which is")),
    (r"what (?:are|were)\b", ("Tell me which are", "Which are")),
    (r"why\b", ("For what reason", "How come")),
    (r"when\b", ("At what time", "On what date")),
    (r"where\b", ("In what place", "At which place")),
    (r"who\b", ("Which person", "What is the name of the one who")),
    (r"which of (?:the following|these)\b", ("Out of the ones below, which", "Which one below")),
    (r"which\b", ("What", "Tell me which")),
    (r"(?:write|implement|create)\b", ("Produce", "I need you to write", "Please come up with")),
    (r"(?:calculate|compute|evaluate|determine)\b", ("Work out", "I'd like to know")),
    (r"(?:find|give|name|list)\b", ("Tell me", "I am looking for")),
    (r"(?:explain|describe)\b", ("Give an account of", "Tell me about")),
    (r"(?:solve|prove|show)\b", ("Please work through", "Go through")),
    (r"(?:summari[sz]e|shorten)\b", ("Give the gist of", "Put more briefly:")),
    (r"(?:translate|rewrite|rephrase)\b", ("Please put otherwise (as told):", "Reformulate:")),
    (r"(?:if|suppose|assume|let)\b", ("Imagine that", "Say that")),
)
_OPENING = [(re.compile(rf"\s*{pattern}", re.IGNORECASE), to) for pattern, to in _OPENINGS]

_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![\w])")
_LETTERS, _DIGITS = "ABCDEFGHIJ", "123456789"
_LEAST_OPTIONS = 3
_MARKER = re.compile(
    r"(?:(?<=\s)|(?<=^)|(?<=[:;,?]))(?P<open>[(\[]?)(?P<label>[A-Ja-j]|[1-9])(?P<close>[).\]:])\s+"
)
_LIST = re.compile(r"(?<='text': )\[[^\[\]]*\]")


class Option(NamedTuple):
    """Where the body of an option stands in its text: text[start:end]."""

    start: int
    end: int


def _filled(frames: tuple[str, ...]) -> Dress:
    def fill(text: str, rng: random.Random) -> str:
        return rng.choice(frames).replace("{}", text)

    return fill


def _of_perturb(kind: str) -> Dress:
    return lambda text, rng: perturb(text, kind, rng.randrange(2**31))


def _json(text: str, rng: random.Random) -> str:
    body = {"id": rng.randrange(1000), rng.choice(_FIELDS): text, "lang": "auto"}
    return json.dumps(body, ensure_ascii=False, indent=rng.choice((None, 2)))


def _opening(text: str, rng: random.Random) -> str | None:
    for pattern, others in _OPENING:
        found = pattern.match(text)
        if found:
            return rng.choice(others) + text[found.end() :]
    return None


def change_numbers(text: str, rng: random.Random) -> str | None:
    """Each number that stands alone becomes another one of as many digits; None without any.

    Equal numbers stay equal. Points and commas stay, and so does all else: `int32` and `x1`
    are names, and no numbers.
    """
    others: dict[str, str] = {}

    def other(found: re.Match[str]) -> str:
        number = found.group()
        if number not in others:
            others[number] = _another(number, rng)
        return others[number]

    made = _NUMBER.sub(other, text)
    return made if others else None


def _another(number: str, rng: random.Random) -> str:
    while True:
        made = "".join(
            c if not c.isdigit() else rng.choice(_DIGITS) if k == 0 else rng.choice("0123456789")
            for k, c in enumerate(number)
        )
        if made != number:
            return made


def find_options(text: str) -> list[Option]:
    """The options of a multiple choice, in order; none where fewer than three are found.

    Read are runs of markers in one style (`A.`, `(b)`, `[C]`, `1)`), on lines of their own or
    behind one another (lines go first), and `'text': [...]` lists as ARC prints them.
    """
    printed = _LIST.search(text)
    if printed:
        return _printed(text, printed)
    marks = list(_MARKER.finditer(text))
    best = _longest([m for m in marks if _begins_line(text, m.start())]) or _longest(marks)
    ends = [*(m.start() for m in best[1:]), _line_end(text, best[-1].end())] if best else []
    found = [_trimmed(text, m.end(), end) for m, end in zip(best, ends, strict=True)]
    return found if all(o.start < o.end for o in found) else []


def shuffle_options(text: str, rng: random.Random) -> str | None:
    """The same options in another order; None where no three of them are found, or all alike."""
    options = find_options(text)
    bodies = [text[o.start : o.end] for o in options]
    if len(set(bodies)) < 2:
        return None
    mixed = bodies[:]
    while mixed == bodies:
        rng.shuffle(mixed)
    parts, at = [], 0
    for option, body in zip(options, mixed, strict=True):
        parts += [text[at : option.start], body]
        at = option.end
    return "".join([*parts, text[at:]])


def _longest(marks: list[re.Match[str]]) -> list[re.Match[str]]:
    """The longest run of markers that has enough of them, the first of equal ones."""
    runs = [_run(marks[k:]) for k, m in enumerate(marks) if m["label"] in "Aa1"]
    best = max(runs, key=len, default=[])
    return best if len(best) >= _LEAST_OPTIONS else []


def _begins_line(text: str, at: int) -> bool:
    before = text[:at].rstrip(" \t")
    return not before or before.endswith("\n")


def _run(marks: list[re.Match[str]]) -> list[re.Match[str]]:
    """A, B, C, ... in the first mark's style: each the next one that fits."""
    style = (marks[0]["open"], marks[0]["close"])
    labels = {"A": _LETTERS, "a": _LETTERS.lower(), "1": _DIGITS}[marks[0]["label"]]
    run: list[re.Match[str]] = []
    for mark in marks:
        if len(run) < len(labels) and (mark["open"], mark["close"]) == style:
            run += [mark] if mark["label"] == labels[len(run)] else []
    return run


def _printed(text: str, found: re.Match[str]) -> list[Option]:
    try:
        items = ast.literal_eval(found.group())
    except (ValueError, SyntaxError):
        return []
    out: list[Option] = []
    at = found.start()
    for item in items:
        shown = repr(item)
        start = text.find(shown, at)
        if start < 0 or start >= found.end():
            return []
        out.append(Option(start, start + len(shown)))
        at = out[-1].end
    return out if len(out) >= _LEAST_OPTIONS else []


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _trimmed(text: str, start: int, end: int) -> Option:
    body = text[start:end].rstrip().rstrip(";,").rstrip()
    return Option(start, start + len(body))


DRESSES: Mapping[str, Dress] = {
    **{kind: _of_perturb(kind) for kind in KINDS},
    "lead-in": _filled(_LEADS),
    "opening": _opening,
    "xml": _filled(_XML),
    "json": _json,
    "agent": _filled(_AGENT),
    "few-shot": _filled(_SHOTS),
    "transcript": _filled(_TALK),
    "numbers": change_numbers,
    "options": shuffle_options,
}


def dress(text: str, kind: str, seed: int) -> str | None:
    """The text in that dress, or None; the same text, kind and seed give the same."""
    made = DRESSES[kind](text, random.Random(f"{seed}:{kind}:{text}"))  # noqa: S311
    return None if made == text else made

"""Checking a program at run time by the examples of its own prompt.

What is covered
- A complete code block is there, compiles, and defines the function that was asked for.
- Every example of the prompt is called in the sandbox and gives the value the prompt says.
  Expected values never enter the sandbox; results come back as typed JSON and are compared
  here, so an `__eq__` that is always true, a printed answer or an early exit win nothing.
- The prompt's other asserts hold (`asserts`, run by `judge`).
- Every function that the prompt names or calls is there; else nothing passes.
- A program that crashes or hangs on inputs made up for it (`edges`) passes with less
  confidence; nobody knows the right results there, so this alone never fails it.

What is not covered
- Inputs that the prompt gives no example for. A program that only knows the examples
  passes; that is also the most that writing to the result channel could bring it.
- Examples told in prose, programs that read stdin, classes, several files.
- Results that are no plain values: such an example is unchecked, and so is the verdict.
"""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from router.state import Verdict
from router.verify.asked import (
    MAX_PROMPT,
    NOT_FUNCTIONS,
    asked_names,
    asks_for_code,
    preamble,
)
from router.verify.asserts import read_asserts
from router.verify.edges import at_the_edges
from router.verify.examples import Example, read_examples
from router.verify.finding import Finding, as_verdict
from router.verify.inner import inner, job, nonce_records
from router.verify.judge import judge
from router.verify.languages import other_language
from router.verify.runner import Runner
from router.verify.sandbox import SandboxResult
from router.verify.text import strip_thinking
from router.verify.typed import same
from router.verify.wire import NotPlain, decode

__all__ = ["check_code", "extract_code"]

MAX_RESPONSE = 400_000
MAX_CODE = 100_000
EXAMPLES_PASS, EXAMPLES_FAIL = 0.9, 0.1
"""P(right), uncalibrated: the examples hold, other inputs may still fail; or the prompt errs."""
EDGES_WEIGH = 0.3
"""Uncalibrated: the part of that confidence that is lost where every edge input goes wrong."""

_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[ \t]*([\w+-]*)[^\n]*$", re.MULTILINE)
_PYTHON = frozenset(("", "python", "py", "python3", "py3"))
_HEAD = re.compile(r"^(?:(?:async def|def|class|import|from)\b|@)", re.MULTILINE)
_BODY = re.compile(
    r"^(?:[ \t#@)\]}]|$|(?:async def|def|class|import|from|if|for|while|try|with)\b|\w+ *=)"
)
_DEFINED = re.compile(
    r"^(?:(?:async )?def|class) +([A-Za-z_]\w*)|^([A-Za-z_]\w*) *(?::[^=\n]{0,80})?=(?!=)"
    r"|^from +\S+ +import +.*?\b([A-Za-z_]\w*) *$",
    re.MULTILINE,
)
_NAMED = re.compile(
    r"\b(?:functions?|methods?|and)\s+(?:called\s+|named\s+)?[`'\"]?([A-Za-z_]\w*)[`'\"]?(?=\([A-Za-z_,:\s\[\]*=]*\))"
)
_OPEN_DEF = re.compile(r"^(?:async )?def[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_CALLED = re.compile(r"(?<![\w.'\"])([A-Za-z_]\w*)\(")
_IMPORTED = re.compile(r"^from +\S+ +import +.*?\b([A-Za-z_]\w*)", re.MULTILINE)
_WARNS = re.compile(
    r"\b(?:avoid|wrong|incorrect|buggy|a bug|mistakes?|do not|don't|bad|never|fails?)\b",
    re.IGNORECASE,
)
_PLACEHOLDERS = frozenset(("f", "g", "fn", "func", "function", "foo", "solution", "solve"))


async def check_code(question: str, response: str, sandbox: Runner) -> Verdict:
    """Run the response's program on the question's examples. Never runs it unsandboxed."""
    started = time.perf_counter()
    finding = await _check(question, response, sandbox)
    return as_verdict("code", finding, started)


async def _check(question: str, response: str, sandbox: Runner) -> Finding:
    if language := other_language(question):
        return Finding(None, "unchecked", evidence=(f"Only Python is run, not {language}.",))
    examples = read_examples(question)
    wanted = asked_names(question)
    asked = bool(wanted) or asks_for_code(question, has_examples=bool(examples))
    code = extract_code(response, wanted or tuple(e.function for e in examples))
    if code is None:
        if asked:
            return Finding(False, "no_answer", evidence=("No complete code block was found.",))
        return Finding(
            None, "unchecked", evidence=("No program was asked for, and none is there.",)
        )
    if len(code) > MAX_CODE:
        return Finding(None, "too_long", evidence=(f"More than {MAX_CODE} characters of code.",))
    every = examples
    examples, missing = _fitted(examples, wanted, code)
    if missing:
        return _lacks(missing, code, named=bool(wanted), examples=every)
    state = await sandbox.available()
    if not state.ok:
        return Finding(None, "unchecked", evidence=(f"Not run, no sandbox: {state.hint}",))
    finding = await _examined(question, code, examples, sandbox)
    finding = _of_all(finding, question, response, code, every, examples)
    name = next(iter((*wanted, *(e.function for e in examples))), None)
    if finding.passed and name:
        program = f"{preamble(question)}\n{code}"
        return await _less_sure(finding, program, name, examples, sandbox)
    return finding


async def _examined(
    question: str, code: str, examples: Sequence[Example], sandbox: Runner
) -> Finding:
    """The program on the examples, and on the other asserts."""
    finding = await _run(question, code, examples, sandbox)
    asserts = read_asserts(question, _defined(code))
    if asserts and finding.passed is not False:
        judged = await _judge_asserts(question, code, asserts, sandbox)
        finding = _both(finding, judged) if examples else judged
    return finding


def _lacks(missing: str, code: str, *, named: bool, examples: Sequence[Example]) -> Finding:
    """The wanted name is not there: a failure, unless it may be meant in another way."""
    if re.search(rf"^[ \t]+(?:async )?def +{missing}\b", code, re.MULTILINE):
        told = f"{missing} is defined inside something else: methods are not run."
        return Finding(None, "unchecked", evidence=(told,))
    if not named and all(e.loose for e in examples if e.function == missing):
        told = f"Is {missing} the function that was asked for? The program does not define it."
        return Finding(None, "unchecked", evidence=(told,))
    return Finding(False, "failed", evidence=(f"The program does not define {missing}.",))


def _of_all(
    finding: Finding,
    question: str,
    response: str,
    code: str,
    examples: Sequence[Example],
    run: Sequence[Example],
) -> Finding:
    """The finding, where it is one about all that was asked and all that was answered."""
    if finding.passed is False and _is_disowned(response, code):
        told = "The last program may be shown as one to avoid."
        return Finding(None, "unchecked", evidence=(told, *finding.evidence))
    if not finding.passed:
        return finding
    asked = _every_name(question) | {e.function for e in examples} - {e.function for e in run}
    lacking = sorted(asked - _defined(f"{preamble(question)}\n{code}"))
    if not lacking or set(lacking) <= _PLACEHOLDERS:
        return finding
    told = f"The prompt also names {lacking[0]}, which the program does not define."
    return Finding(None, "unchecked", evidence=(told, *finding.evidence))


def _every_name(question: str) -> set[str]:
    """Functions that the prompt names, defines or calls in an assert."""
    text = question[:MAX_PROMPT]
    named = set(_NAMED.findall(text)) | set(_OPEN_DEF.findall(text))
    lines = re.findall(r"^\W{0,8}assert\b.*", text, re.MULTILINE)
    called = {name for line in lines for name in _CALLED.findall(line)}
    return (named | called) - NOT_FUNCTIONS - set(_IMPORTED.findall(text))


def _is_disowned(response: str, code: str) -> bool:
    """Is the program not the only one, and one that the text warns of?"""
    text = strip_thinking(response)
    before, found, _ = text.rpartition(code)
    said = before[-200:].rpartition("```")[0].rpartition("```")[2]
    return bool(found) and len(_blocks(text)[0]) > 1 and bool(_WARNS.search(said))


def extract_code(response: str, names: Sequence[str] = ()) -> str | None:
    """The last complete Python block that defines a wanted name, else the last one, else a
    bare definition in the text."""
    text = strip_thinking(response[-MAX_RESPONSE:] if "<think>" not in response else response)
    blocks, is_open = _blocks(text)
    for block in reversed(blocks):
        if set(names) & _defined(block):
            return block
    if blocks:
        return blocks[-1]
    return None if is_open else _bare(text)


def _blocks(text: str) -> tuple[list[str], bool]:
    """All closed Python blocks, and whether a block is left open at the end."""
    blocks: list[str] = []
    start, mark, is_python = 0, "", False
    for match in _FENCE.finditer(text):
        fence, language = match.group(1), match.group(2).lower()
        if not mark:
            start, mark, is_python = match.end() + 1, fence, language in _PYTHON
        elif fence.startswith(mark) and not language:
            if is_python and (block := text[start : match.start()]).strip():
                blocks.append(block)
            mark = ""
    return blocks, bool(mark)


def _bare(text: str) -> str | None:
    """Code without a fence: from the first definition to the first line of prose."""
    head = _HEAD.search(text)
    if not head:
        return None
    lines = []
    for line in text[head.start() :].split("\n"):
        if not _BODY.match(line):
            break
        lines.append(line)
    code = "\n".join(lines)
    return code if re.search(r"^(?:async def|def|class)\b", code, re.MULTILINE) else None


def _defined(code: str) -> set[str]:
    return {name for groups in _DEFINED.findall(code) for name in groups if name}


def _fitted(
    examples: Sequence[Example], wanted: Sequence[str], code: str
) -> tuple[list[Example], str]:
    """The examples this program can be asked, and the wanted name it lacks.

    An example of a nameless function ("write a function f") may be called under the only
    name that the program defines.
    """
    defined = _defined(code)
    named = list(wanted) or list(dict.fromkeys(e.function for e in examples))[:1]
    missing = next((n for n in named if n not in defined), "")
    if wanted:  # a prompt that calls another name than the one it asks for has a slip there
        examples = [e for e in examples if e.function in defined | set(wanted)]
    if not missing or re.search(r"^from +\S+ +import +[*(]", code, re.MULTILINE):
        return list(examples), ""
    functions = re.findall(r"^(?:async )?def +([A-Za-z_]\w*)", code, re.MULTILINE)
    if missing in _PLACEHOLDERS and len(set(functions)) == 1:
        alias = f"{missing} = {functions[0]}\n"
        return [e._replace(setup=alias + e.setup) for e in examples], ""
    return [], missing


async def _run(question: str, code: str, examples: Sequence[Example], sandbox: Runner) -> Finding:
    program = f"{preamble(question)}\n{code}" if examples else code
    calls = [{"setup": e.setup, "source": e.call} for e in examples]
    nonce, stdin = job(program, calls)
    result = await sandbox.run(inner("inside"), stdin=stdin)
    records = nonce_records(result.stdout, nonce)
    return _stopped(result, records, examples) or _judge(examples, records)


async def _judge_asserts(
    question: str, code: str, asserts: Sequence[str], sandbox: Runner
) -> Finding:
    """The prompt's asserts that are more than a call and its value: code, so judged as such."""
    given = preamble(question)
    tests = "\n".join([given, *asserts])
    verdict = await judge(f"{given}\n{code}", tests, sandbox, limits=sandbox.limits)
    sure = {True: EXAMPLES_PASS, False: EXAMPLES_FAIL, None: None}[verdict.passed]
    return Finding(verdict.passed, verdict.status, sure, verdict.evidence)


def _both(examples: Finding, asserts: Finding) -> Finding:
    told = (*examples.evidence, *asserts.evidence)
    if asserts.passed is False:
        return asserts
    if examples.passed and asserts.passed:
        return examples._replace(evidence=told)
    return Finding(None, "unchecked", evidence=told)


async def _less_sure(
    finding: Finding, program: str, name: str, examples: Sequence[Example], sandbox: Runner
) -> Finding:
    """A pass, with less confidence where the program crashes or hangs at the edges."""
    edges = await at_the_edges(program, name, [e.call for e in examples], sandbox)
    if not edges.faults:
        return finding
    share = len(edges.faults) / edges.tried
    told = f"{len(edges.faults)} of {edges.tried} edge inputs go wrong: {edges.faults[0]}."
    return finding._replace(
        confidence=EXAMPLES_PASS * (1 - EDGES_WEIGH * share), evidence=(*finding.evidence, told)
    )


def _stopped(
    result: SandboxResult, records: Sequence[Mapping[str, Any]], examples: Sequence[Example]
) -> Finding | None:
    """The ends that leave nothing to compare."""
    if result.status == "timeout":
        told = f"It did not finish within {result.seconds:.1f} s."
        return Finding(False, "timeout", EXAMPLES_FAIL, (told,))
    if result.status != "exited":
        return Finding(False, "failed", EXAMPLES_FAIL, (f"It was stopped: {result.status}.",))
    compiled = next((r for r in records if "compiled" in r), None)
    if compiled is None:
        told = result.stderr.decode(errors="replace").strip()[-200:]
        return Finding(None, "unchecked", evidence=(f"The sandbox gave no report. {told}",))
    if not compiled["compiled"]:
        return Finding(False, "failed", 0.0, (f"It does not compile: {compiled.get('error')}",))
    if not examples:
        told = "It compiles; the prompt gives no example to run."
        return Finding(None, "unchecked", evidence=(told,))
    loaded = next((r for r in records if r.get("loaded") is False), None)
    if loaded:
        return Finding(False, "failed", EXAMPLES_FAIL, (f"It does not load: {loaded['error']}",))
    return None


def _judge(examples: Sequence[Example], records: Sequence[Mapping[str, Any]]) -> Finding:
    results: dict[int, Mapping[str, Any]] = {}
    for record in records:
        if isinstance(record.get("call"), int):
            if record["call"] in results:
                told = "One call was answered twice: the result channel was written to."
                return Finding(False, "failed", EXAMPLES_FAIL, (told,))
            results[record["call"]] = record
    compared = [_compared(example, results.get(i)) for i, example in enumerate(examples)]
    wrong = tuple(one.said for one in compared if one.held is False)
    unknown = tuple(one.said for one in compared if one.held is None)
    if wrong:
        return Finding(False, "failed", EXAMPLES_FAIL, wrong[:5])
    if unknown:
        return Finding(None, "unchecked", evidence=unknown[:5])
    count = f"{len(compared)} of {len(compared)} examples of the prompt hold."
    return Finding(True, "passed", EXAMPLES_PASS, (count,))


class _Compared(NamedTuple):
    held: bool | None
    said: str


def _compared(example: Example, record: Mapping[str, Any] | None) -> _Compared:
    call = example.call if len(example.call) <= 120 else example.call[:117] + "..."
    if record is None:
        return _Compared(False, f"{call} gave no result: the program ended before it.")
    if "error" in record:
        return _Compared(False, f"{call} raised {str(record['error'])[:200]}")
    try:
        got = decode(record.get("value"))
    except NotPlain:
        return _Compared(None, f"{call} gave a value that is no plain data: unchecked.")
    if same(example.expected, got):
        return _Compared(True, f"{call} holds.")
    told = f"{call} gave {_safe(got)}, the prompt says {_safe(example.expected)}"
    if _rounds_to(example.expected, got):
        return _Compared(None, f"{told}: is that rounded?")
    return _Compared(False, f"{told}.")


def _rounds_to(expected: Any, got: Any) -> bool:
    """May the prompt have rounded what it says? Then neither is proven."""
    if type(expected) is not float or type(got) is not float:
        return False
    digits = len(repr(expected).partition(".")[2])
    return "e" not in repr(expected) and digits <= 6 and round(got, digits) == expected


def _safe(value: Any) -> str:
    """An integer of 5000 digits has no `repr`."""
    try:
        return repr(value)[:80]
    except ValueError:
        return f"a {type(value).__name__} too large to show"

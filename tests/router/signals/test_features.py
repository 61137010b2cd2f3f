"""The featuriser: the blocks, the demo's queries, and text that means harm."""

import base64
import os
import re
import time

import numpy as np
import pytest

from eval.fit.examples import contrastive, gather
from eval.sources.shared import shared_data
from router.errors import SetupError
from router.signals import Encoder, Featuriser, Head, load_head
from router.signals.cues import CUES
from router.signals.features import LENGTHS
from router.state import DOMAINS, Message, Query, Signals


def ask(text: str) -> Query:
    return Query(id="q", messages=(Message(role="user", content=text),))


def signals(featuriser: Featuriser, *queries: Query) -> list[Signals]:
    return featuriser.signals(featuriser.blocks(queries), queries)


# text, domain (None = either is fine), verifiability > .5, knowledge demand > .5
MUST = [
    ("Natalia sold 48 clips in April and half as many in May. How many in total?",
     "math", True, False),
    ("Write a Python function is_palindrome(s) that returns True if s reads the same backwards.",
     "code", True, False),
    ("What is the capital of Bhutan?", "knowledge", False, True),
    ("Who won the 2022 FIFA World Cup?", "knowledge", False, True),
    ("Thanks, that was helpful! How are you today?", "open", False, False),
    ("What is 12*7?", "math", True, None),
    ("Which enzyme of the urea cycle condenses citrulline with aspartate, and from which "
     "compartment does it work?\n(A) Argininosuccinate lyase, mitochondrial matrix\n"
     "(B) Argininosuccinate synthetase, cytosol\n(C) Ornithine transcarbamylase, matrix\n"
     "(D) Arginase, cytosol", "knowledge", False, True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "domain", "v", "k"), MUST, ids=[m[0][:24] for m in MUST])
def test_the_demo_queries_stand_where_they_belong(
    featuriser: Featuriser, text: str, domain: str, v: bool, k: bool | None
) -> None:
    [found] = signals(featuriser, ask(text))
    assert found.domain == domain
    assert (found.verifiability > 0.5) == v
    assert k is None or (found.knowledge_demand > 0.5) == k


def flat(text: str) -> str:
    return " ".join(text.lower().split())


def test_the_demo_queries_are_in_no_written_prompts() -> None:
    assert not {flat(e.text) for e in contrastive()} & {flat(m[0]) for m in MUST}


def test_the_demo_queries_are_in_no_training_data() -> None:
    try:
        data = shared_data()
    except SetupError as error:
        pytest.skip(str(error))
    assert not {flat(e.text) for e in gather(data, seed=0)} & {flat(m[0]) for m in MUST}


def test_blocks_have_their_names_and_shapes(featuriser: Featuriser) -> None:
    blocks = featuriser.blocks([ask("What is 1 + 1?"), ask("hello there")])
    assert {name: block.shape for name, block in blocks.items()} == {
        "embedding": (2, featuriser.encoder.dim),
        "cues": (2, len(CUES)),
        "lengths": (2, len(LENGTHS)),
        "axes": (2, 2),
        "domains": (2, len(DOMAINS)),
        # Four words and their three pairs; the second text is padded.
        "terms": (2, 2 * len(re.findall(r"\w+", "What is 1 + 1?")) - 1),
    }


def test_no_queries_no_rows(featuriser: Featuriser) -> None:
    blocks = featuriser.blocks([])
    assert all(len(block) == 0 for block in blocks.values())
    assert featuriser.signals(blocks, []) == []


def test_a_batch_is_what_its_rows_are_alone(featuriser: Featuriser) -> None:
    queries = [ask("Who wrote Emma?"), ask("Solve 3x = 12. " * 30), ask("hi")]
    together = featuriser.blocks(queries)["axes"]
    alone = np.concatenate([featuriser.blocks([q])["axes"] for q in queries])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_the_signals_name_their_featuriser(featuriser: Featuriser) -> None:
    [found] = signals(featuriser, ask("Who wrote Emma?"))
    assert found.featuriser == featuriser.fingerprint
    assert load_head().encoder in found.featuriser
    assert sum(found.domains.values()) == pytest.approx(1, abs=1e-4)


def test_a_follow_up_stands_where_its_question_stands(featuriser: Featuriser) -> None:
    first = Message(role="user", content="Solve 3x + 5 = 20 for x.")
    talk = (
        first,
        Message(role="assistant", content="x = 5"),
        Message(role="user", content="and for 26?"),
    )
    [found] = signals(featuriser, Query(id="t", messages=talk))
    assert found.domain == "math" and found.verifiability > 0.5
    assert found.chars == len("and for 26?")


HOSTILE = {
    "empty": "",
    "blank": " \n\t ",
    "large": "lorem ipsum dolor " * 60_000,
    "one word": "a" * 1_000_000,
    "base64": base64.b64encode(os.urandom(30_000)).decode(),
    "control": "".join(map(chr, range(32))) * 50,
    "surrogate": "broken \ud800 text",
    "mixed": "Who is 王小明? Кто он? من هو؟ 🙂",
    "right to left": "\u202eevil\u202c what is this",
    "regex bait": "A) x " * 40_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_any_text_gives_valid_signals_in_bounded_time(featuriser: Featuriser, name: str) -> None:
    started = time.perf_counter()
    [found] = signals(featuriser, ask(HOSTILE[name]))
    assert time.perf_counter() - started < 5.0
    assert found.chars == len(HOSTILE[name])
    assert all(np.isfinite(p) for p in found.domains.values())


def test_a_head_of_another_encoder_is_refused() -> None:
    shipped = load_head()
    other = Head("other-00000000", shipped.axes_weights, shipped.axes_bias,
                 shipped.domain_weights, shipped.domain_bias)  # fmt: skip
    with pytest.raises(SetupError, match="other-00000000"):
        Featuriser(Encoder(), other).blocks([ask("hi")])

"""`ockham experiment coverage` before a fake model that can read: runs, page, table, bad input."""

import json
import re

import pytest
from typer.testing import CliRunner

import eval.runs.session
from eval.knowledge.commands import app
from eval.knowledge.conditions import library
from eval.knowledge.drawn import draw_evenly
from eval.knowledge.questions import says
from eval.knowledge.report import PROTOCOL_ONLY, SMALL_ONLY
from eval.runs.tries import read_tries
from router.arms.run import ArmRunner
from router.assembly import Assembly
from router.cases import CaseBuilder
from router.errors import InputError, KnowledgeError, NoAnswerError
from router.facade import Router
from router.graph import Engine, build_graph
from router.knowledge.retrieving import Retriever
from router.models.pool import Models
from router.outcomes import read_outcomes
from router.verify import Verifiers

from ...router.conftest import FakeSignals  # noqa: TID252  tests are no package

pytestmark = pytest.mark.slow  # each runs the whole experiment

N = 8
FIELDS = ("capital", "area", "highest-point", "internet-domain")


def asked():
    return draw_evenly(0, limit=N, fields=FIELDS)


def prompts():
    return {q.prompt: q for q in asked()}


class Reader:
    """Knows the first question by heart; else says what the passages hold, or that they do not."""

    def __init__(self):
        self.known = {asked()[0].id}
        self.reads = True

    def __call__(self, messages):
        content = messages[-1]["content"]
        question = next((q for prompt, q in prompts().items() if prompt in content), None)
        if question is None:
            return "Hello."  # the client's own probe
        right = question.gold.values[0]
        if "<passage" not in content:
            return right if question.id in self.known else "I do not know"
        shown = content.partition("Question: ")[0]
        there = all(says(shown, words) for words in question.evidence)
        if not there or not self.reads:
            return json.dumps({"passage": 0, "quote": "", "answer": "not there"})
        return json.dumps({"passage": 1, "quote": "", "answer": right})


class HalfAnIndex:
    """Finds the gold passage of every second question, and distractors for the others."""

    async def asearch(self, query, k=5):
        every = asked()
        place = next(i for i, q in enumerate(every) if q.prompt in query)
        shelf = library()
        return shelf.gold(every[place]) if place % 2 == 0 else shelf.distractors(every[place], 0)


def router_with_an_index(settings, policy):
    """Signals from a plain function and an index that knows half; everything else is real."""
    models, checker = Models(settings), Verifiers()
    retriever = Retriever(HalfAnIndex(), settings.knowledge.passages)
    engine = Engine(
        settings=settings,
        models=models,
        signals=FakeSignals(),
        runner=ArmRunner(models, retriever, checker),
        retriever=retriever,
        checker=checker,
        cases=CaseBuilder(settings, models, None),
    )
    return Router(settings, policy, assembly=Assembly(engine, build_graph(), None))


@pytest.fixture
def ready(clean_env, fake_model, monkeypatch, tmp_path):
    fake_model.answer = Reader()
    monkeypatch.setattr(eval.runs.session, "Router", router_with_an_index)
    for model, usd in (("SMALL", "1"), ("LARGE", "10")):
        env = {"API_BASE": fake_model.api_base, "API_KEY": "secret-1", "MODEL": "openai/fake-3b"}
        env |= {"INPUT_USD_PER_MILLION": usd, "OUTPUT_USD_PER_MILLION": usd, "MAX_TOKENS": "64"}
        for name, value in env.items():
            clean_env.setenv(f"OCKHAM_MODELS__{model}__{name}", value)
    place = tmp_path / "data" / "knowledge"
    place.mkdir(parents=True)
    (place / "CURRENT").write_text("v-test\n")
    return clean_env


def asked_of(fake):
    """Requests that hold a question: the client probes a server too."""
    said = [r["messages"][-1]["content"] for r in fake.requests]
    return [text for text in said if any(prompt in text for prompt in prompts())]


def ockham(*args, code=0):
    given = [*args, *(x for f in FIELDS for x in ("--field", f)), "--limit", N]
    done = CliRunner().invoke(app, ["coverage", *map(str, given)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done


def test_what_it_knew_could_read_and_could_find(ready, tmp_path, fake_model):
    out = tmp_path / "x"
    data = json.loads(ockham("--out", out, "--json").stdout)
    (model,) = data["models"]
    value = {name: got["value"] for name, got in model["numbers"].items()}
    assert model["questions"] == model["planned"] == N
    assert value["knew it"] == pytest.approx(1 / N)
    assert value["could read it"] == 1
    assert value["could find it"] == pytest.approx(1 / 2)
    assert value["accuracy retrieved"] == pytest.approx(1 / 2)
    assert value["right where found"] == 1 and value["right where not found"] == 0
    assert value["gap closed by gold"] == pytest.approx(1)
    assert value["gold gain kept by retrieval"] == pytest.approx((4 - 1) / (8 - 1))
    assert value["abstained distractors"] == value["right or abstained distractors"] == 1
    assert value["misled by distractors"] == 1
    assert data["stamp"]["questions"]["planned"] == N
    assert "checksums.questions" in model["runs"]["gold"]["checksums"]
    saved = json.loads((out / "coverage.json").read_text())
    assert saved == data and saved["stamp"]["seed"] == 0
    everything = b"".join(f.read_bytes() for f in out.rglob("*") if f.is_file())
    assert b"secret-1" not in everything
    # The same command again asks nothing.
    before = len(asked_of(fake_model))
    ockham("--out", out, "--json")
    assert len(asked_of(fake_model)) == before == 4 * N

    _check_table(out)


def _check_table(out):
    """Of arms as they serve: closed-book and retrieved, over the same questions."""
    rows = read_outcomes(out / "outcomes").outcomes
    assert rows.group_by("arm").len().sort("arm").rows() == [("small", N), ("small+index", N)]
    assert set(rows["benchmark"]) == {"factbook"}
    by_arm = {arm: rows.filter(arm=arm) for arm in ("small", "small+index")}
    assert by_arm["small"]["query_id"].to_list() == by_arm["small+index"]["query_id"].to_list()
    assert by_arm["small"]["score"].sum() == 1 and by_arm["small+index"]["score"].sum() == 4


def test_the_page_holds_everything_and_loads_nothing(ready, tmp_path):
    out = tmp_path / "x"
    said = ockham("--out", out).stdout
    html = (out / "index.html").read_text()
    assert "Gold facts close 100 % [100, 100] of the gap to 1" in html
    assert "Retrieval keeps 43 %" in html and "Retrieval keeps 43 %" in said
    assert PROTOCOL_ONLY not in html and SMALL_ONLY not in html
    for field in FIELDS:
        assert f'<th scope="row">{field}</th>' in html
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", html)
    for kind in ("conditions", "chain", "categories", "fields"):
        assert (out / f"{kind}-1.png").read_bytes().startswith(b"\x89PNG")
    assert not re.search(r"\bnan\b", re.sub(r"base64,[^\"]+", "", html), re.IGNORECASE)


def test_several_models_and_a_reference_side_by_side(ready, tmp_path, fake_model):
    args = ("--arm", "small", "--arm", "large", "--reference", "large")
    data = json.loads(ockham("--out", tmp_path / "x", "--json", *args).stdout)
    assert [m["arm"] for m in data["models"]] == ["small", "large"]
    for model in data["models"]:
        assert model["reference"] == "large"
        # The reference knows as much as the model: there is no gap.
        assert model["says"][0].startswith("No gap to close")
        assert model["numbers"]["gap closed by gold"]["value"] is None
    # large's closed-book run is the reference's: asked once.
    assert len(asked_of(fake_model)) == N * 8
    rows = read_outcomes(tmp_path / "x" / "outcomes").outcomes
    assert set(rows["arm"]) == {"small", "small+index", "large", "large+index"}
    assert len(rows) == 4 * N


def test_a_small_reader_proves_the_protocol_only(ready, tmp_path):
    ready.setenv("OCKHAM_MODELS__SMALL__MODEL", "openai/smollm2-135m")
    assert PROTOCOL_ONLY in ockham("--out", tmp_path / "x").stdout
    assert PROTOCOL_ONLY in (tmp_path / "x" / "index.html").read_text()


def test_gold_that_gains_nothing_divides_by_nothing(ready, tmp_path, fake_model):
    fake_model.answer.reads = False
    data = json.loads(ockham("--out", tmp_path / "x", "--json").stdout)
    assert data["models"][0]["says"][1].startswith("No gain of gold facts")
    assert data["models"][0]["numbers"]["gold gain kept by retrieval"]["value"] is None


def test_a_ceiling_stops_it_and_the_same_command_goes_on(ready, tmp_path, fake_model):
    out = tmp_path / "x"
    stopped = ockham("--out", out, "--max-cost", "0", code=5)
    assert "--max-cost" in stopped.stderr and not (out / "index.html").exists()
    assert asked_of(fake_model) == []
    ockham("--out", out)
    assert (out / "index.html").exists()
    assert all(t.state == "done" for t in read_tries(out / "runs" / "small" / "gold"))


def test_partial_results_need_every_condition_begun(ready, tmp_path):
    with pytest.raises(InputError, match=r"small: no question is finished .*closed 0, gold 0"):
        ockham("--out", tmp_path / "x", "--partial")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--arm", "nobody"), "--arm: no arm 'nobody'"),
        (("--arm", "small+index"), r"--arm: small\+index reads an index"),
        (("--index-arm", "large"), "--index-arm: large is of context none"),
        (("--index-arm", "small+index", "--index-arm", "large+index"), "one for every --arm"),
        (("--reference", "nobody"), "--reference: no arm 'nobody'"),
        (("--conditions", "closed,open"), "--conditions: no 'open'; there are: closed"),
        (("--field", "colour"), "--field: no field 'colour'"),
    ],
)
def test_bad_arguments_are_named_before_anything_is_asked(ready, tmp_path, fake_model, args, said):
    with pytest.raises(InputError, match=said):
        ockham("--out", tmp_path / "x", *args)
    assert asked_of(fake_model) == [] and not (tmp_path / "x" / "runs").exists()


def test_an_arm_without_a_sibling(ready, tmp_path, fake_model):
    file = tmp_path / "own.yaml"
    file.write_text("arms: {alone: {model: small, method: {name: majority, k: 2}}}")
    with pytest.raises(InputError, match="alone has no sibling of context index .*--index-arm"):
        ockham("--out", tmp_path / "x", "--config", file, "--arm", "alone")
    assert asked_of(fake_model) == []


def test_no_index(ready, tmp_path, fake_model):
    (tmp_path / "data" / "knowledge" / "CURRENT").unlink()
    with pytest.raises(KnowledgeError, match="there is no knowledge index at .*index build"):
        ockham("--out", tmp_path / "x")
    assert asked_of(fake_model) == [] and not (tmp_path / "x").exists()


def test_a_reference_that_cannot_be_run(ready, tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(
        "models: {away: {tier: large, api_base: 'http://127.0.0.1:9/v1', model: openai/away, "
        "usd_per_hour: 1}}\n"
        "arms: {away: {model: away}}"
    )
    with pytest.raises(NoAnswerError, match="away"):
        ockham("--out", tmp_path / "x", "--config", file, "--reference", "away")


def test_other_questions_are_refused(ready, tmp_path):
    out = tmp_path / "x"
    ockham("--out", out, "--json")
    with pytest.raises(InputError, match=r"questions\.jsonl holds other questions"):
        ockham("--out", out, "--leave-out", asked()[0].code)

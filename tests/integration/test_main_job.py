"""The main job as a stranger runs it: real encoder, real index, real model, real checks."""

import json

DEMO_ROUTES = {"small", "small+index"}


def test_the_demo_answers_every_query_from_real_calls(ockham):
    done = ockham("demo", "--json")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == 6
    assert not [a for a in answers if "error" in a]
    for answer in answers:
        assert set(answer["route"]) <= DEMO_ROUTES
        attempts = [s["attempt"] for s in answer["trace"]["steps"] if s["attempt"]]
        assert sum(a["completion_tokens"] for a in attempts) == answer["tokens"]["completion"] > 0
        assert all(a["tokens_basis"] == "reported" for a in attempts)
        assert answer["cost_usd"] > 0
        assert answer["verified"] == (answer["verdict"]["passed"] is True)
        assert answer["verified"] or answer["note"].startswith("unverified")
    domains = [a["signals"]["domain"] for a in answers]
    assert domains == ["math", "math", "code", "knowledge", "knowledge", "open"]
    assert answers[3]["citations"], "the reader must cite"


def test_the_demo_table_says_what_is_not_configured(ockham):
    table = ockham("demo").stdout
    assert "large: not configured" in table
    assert "an estimate at the price of" in table
    assert "tokens/s, measured" in table


def test_ask_json_is_one_object(ockham):
    body = json.loads(ockham("ask", "What is the capital of Bhutan?", "--json").stdout)
    assert {
        "answer", "route", "model", "verdict", "cost_usd", "tokens", "signals", "trace",
    } <= set(body)  # fmt: skip
    assert body["model"].endswith("smollm2-135m-instruct.q4_1")
    nodes = [step["node"] for step in body["trace"]["steps"]]
    assert nodes[:4] == ["classify", "retrieve", "decide", "act"]


def test_ask_streams(ockham):
    done = ockham("ask", "Hello! How are you?", "--stream")
    assert len(done.stdout.strip()) > 5
    assert "[small]" in done.stderr and "cost: USD" in done.stderr


def test_route_file(ockham, tmp_path):
    file = tmp_path / "q.jsonl"
    rows = [{"id": f"q{i}", "query": f"What is {i} * 7?"} for i in range(70)]
    lines = [json.dumps(row) for row in rows]
    lines += ["{broken", json.dumps({"id": "e", "query": ""}), json.dumps({"id": "n", "query": 7})]
    lines += [json.dumps({"id": "de", "query": "Was ist die Hauptstadt von Frankreich, bitte?"})]
    file.write_text("\n".join(lines), encoding="utf-8")
    done = ockham("route", "--file", str(file), check=False)
    out = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2 and "3 lines could not be routed" in done.stderr
    assert [o["id"] for o in out[:70]] == [r["id"] for r in rows]
    for row in out[:70]:
        assert row["choice"] == "small"
        assert row["signals"]["verifiability"] > 0.4 > row["signals"]["knowledge_demand"]
        assert row["signals"]["domain"] == "math"
    assert "line 71" in out[70]["error"]
    assert "empty" in out[71]["error"] and "not a string" in out[72]["error"]
    assert out[73]["signals"]["language"] == "de"


def test_route_explains_without_starting_a_server(ockham):
    text = ockham("route", "Who proved Fermat's last theorem?").stdout
    assert "verifiability -> small+index" in text
    assert "because needs facts beyond the prompt" in text
    assert "not configured" in text

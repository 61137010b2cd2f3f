"""Log lines: what they tell, and that planted secrets and prompts are in none of them."""

import io
import json
import logging

import pytest

from router.masking import masked
from router.telemetry.logs import JsonFormatter, log_access, set_up

from .conftest import SECRET_ANSWER, SECRET_PROMPT

KEYS = ("sk-proj-abcdef1234567890", "ockham_Zm9vYmFyYmF6cXV4", "gsk_abcdefgh12345678")


@pytest.fixture
def written():
    """Everything that all loggers write, in the form that was set up."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    others = {
        name: (logging.getLogger(name).level, logging.getLogger(name).handlers[:])
        for name in ("uvicorn", "uvicorn.error", "ockham.access", "LiteLLM", "LiteLLM Router",
                     "httpx", "httpx2", "openai", "aiohttp", "alembic")
    }  # fmt: skip
    stream = io.StringIO()

    def start(log_format, access=True):
        set_up(log_format, access)
        root.handlers[0].setStream(stream)
        return stream

    yield start
    root.handlers, root.level = before
    for name, (level, handlers) in others.items():
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.handlers, logger.propagate = handlers, True


def test_the_access_line_is_json_with_these_fields(written, ended):
    stream = written("json")
    log_access(ended())
    line = json.loads(stream.getvalue())
    assert line["trace_id"] == "ab12" and line["tenant"] == "acme" and line["status"] == 200
    assert line["route"] == ["small"] and line["cost_usd"] > 0 and line["logger"] == "ockham.access"


def test_the_access_line_as_text_and_not_at_all(written, ended):
    stream = written("text")
    log_access(ended())
    assert "trace_id=ab12 tenant=acme" in stream.getvalue()
    stream = written("text", access=False)
    length = len(stream.getvalue())
    log_access(ended())
    assert len(stream.getvalue()) == length


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("key", KEYS)
def test_planted_secrets_and_prompts_are_nowhere(written, ended, log_format, key):
    stream = written(log_format)
    log_access(ended())
    logger = logging.getLogger("router.somewhere")
    logger.warning("provider said: wrong key %s", key)
    logger.warning("headers: {'Authorization': 'Bearer %s'}", key)
    logger.warning("headers: {'Authorization': 'Bearer %s'}", "weird0004")
    logger.warning("postgresql://ockham:%s@db/ledger is gone", "hunter2hunter2")
    try:
        raise ValueError(f"api_key={key}")
    except ValueError:
        logger.exception("it broke")
    text = stream.getvalue()
    assert text.count("\n") >= 5 and "it broke" in text
    for hidden in (key, SECRET_PROMPT, SECRET_ANSWER, "zanzibar", "hunter2", "key-1", "weird"):
        assert hidden not in text


def test_masking_leaves_ordinary_words_alone():
    said = "the token limit is 12; key-value stores; skill-based; http://127.0.0.1:8000/v1"
    assert masked(said) == said


def test_an_exception_is_one_line_of_json():
    try:
        raise ValueError("two\nlines")
    except ValueError:
        import sys

        record = logging.LogRecord("x", 40, __file__, 1, "bad", (), sys.exc_info())
    line = JsonFormatter().format(record)
    assert "\n" not in line and "two" in json.loads(line)["exception"]

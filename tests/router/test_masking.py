"""What is masked, and what is left alone."""

import pytest

from router.config import load_settings
from router.masking import masked, pathless


@pytest.mark.parametrize(
    "said",
    [
        "you sent Bearer weird0004", "Authorization: Bearer weird0004",
        "{'authorization': 'Basic weird0004'}", '{"api_key":"weird0004"}',
        "GET https://x.example/v1?key=weird0004&n=1", "redis://:weird0004@cache/0",
        "wrong key sk-proj-weird0004", "client_secret=weird0004",
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_masked(said):
    assert "weird" not in masked(said) and "***" in masked(said)


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "SOME_TOKEN", "aws_secret_access_key", "PGPASSWORD", "MY_SECRET"]
)
def test_the_secrets_of_the_environment_are_masked_in_any_words(monkeypatch, name):
    monkeypatch.setenv(name, "plainwords77")
    assert masked("no plainwords77 here") == "no *** here"
    monkeypatch.setenv(name, "plainwords77 and more")
    assert masked("plainwords77 and more") == "***"
    monkeypatch.setenv(name, "no")
    assert masked("no word is cut out of text") == "no word is cut out of text"


def test_the_secrets_of_the_configuration_are_masked_in_any_words(clean_env):
    deployments = [{"model": "openai/x", "api_key": "of-a-deployment"}]
    load_settings(
        gateway={"admin_key": "an-admin-key-of-ours", "api_keys": ["of-a-client"]},
        models={"small": {"deployments": deployments, "input_usd_per_million": 1,
                          "output_usd_per_million": 1}},
        ledger={"url": "postgresql+psycopg://me:of-the-database@db/x"},
    )  # fmt: skip
    for secret in ("an-admin-key-of-ours", "of-a-client", "of-a-deployment", "of-the-database"):
        assert masked(f"it said {secret}!") == "it said ***!"


def test_paths_lose_their_folders_and_addresses_stay():
    assert pathless("cannot read /srv/ockham/w.gguf: no") == "cannot read w.gguf: no"
    assert pathless("[Errno 2]: '/srv/ockham/w.gguf'") == "[Errno 2]: 'w.gguf'"
    for said in ("is http://a.example/v1/x an OpenAI-compatible /v1?", "and/or/not", "1/2"):
        assert pathless(said) == said

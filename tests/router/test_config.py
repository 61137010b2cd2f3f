"""One file plus environment; every bad key is named, no value (secret) is shown."""

import json

import pytest

from router.config import load_settings
from router.errors import ConfigError


@pytest.fixture(autouse=True)
def _clean(clean_env):
    return clean_env


def write(tmp_path, text):
    path = tmp_path / "o.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_need_no_file():
    settings = load_settings()
    assert list(settings.arms) == ["small", "small+index", "large", "large+index"]
    assert settings.policy.name == "verifiability"
    assert settings.models["small"].serve == "embedded"


def test_a_file_states_only_what_differs(tmp_path):
    path = write(tmp_path, "models: {small: {api_base: 'http://gpu:8000/v1/'}}\n")
    settings = load_settings(path)
    assert settings.models["small"].api_base == "http://gpu:8000/v1"
    assert settings.models["small"].usd_per_hour == 0.05
    assert "large" in settings.models


def test_the_embedded_models_limits_do_not_cripple_another(tmp_path):
    own = load_settings().models["small"]
    assert (own.context_tokens, own.max_tokens, own.languages) == (2048, 384, ("en",))
    other = load_settings(write(tmp_path, "models: {small: {api_base: 'http://gpu:8000/v1'}}"))
    small = other.models["small"]
    assert (small.context_tokens, small.max_tokens, small.languages) == (None, 8192, None)


def test_one_environment_line_points_the_small_arm_elsewhere(clean_env):
    clean_env.setenv("OCKHAM_MODELS__SMALL__API_BASE", "http://gpu:8000/v1")
    assert load_settings().models["small"].api_base == "http://gpu:8000/v1"


def test_environment_wins_over_the_file_and_arguments_over_both(clean_env, tmp_path):
    path = write(tmp_path, "limits: {max_steps: 2, max_cost_usd: 0.5}\n")
    clean_env.setenv("OCKHAM_LIMITS__MAX_STEPS", "3")
    limits = load_settings(path).limits
    assert (limits.max_steps, limits.max_cost_usd, limits.timeout_s) == (3, 0.5, 300)
    assert load_settings(path, limits={"max_steps": 5}).limits.max_steps == 5


def test_the_file_in_the_working_directory_is_found(tmp_path):
    (tmp_path / "ockham.yaml").write_text("limits: {max_steps: 9}", encoding="utf-8")
    assert load_settings().limits.max_steps == 9


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bogus: 1", "bogus: unknown key"),
        ("models: {small: {usd_per_hour: -1}}", "models.small.usd_per_hour: .*greater than"),
        ("models: {small: {usd_per_hour: .inf}}", "models.small.usd_per_hour: .*finite"),
        ("models: {small: {usd_per_huor: 1}}", "models.small.usd_per_huor: unknown key"),
        ("models: {small: {input_usd_per_million: 1}}", "models.small: set input_usd_per_million"),
        ("models: {small: {api_base: 'gpu:8000'}}", "models.small.api_base: .*URL such as"),
        ("models: {small: {api_base: 'http://[::1'}}", "models.small.api_base: .*URL such as"),
        ("models: {small: {api_base: 'http://h:99999/v1'}}", "models.small.api_base: .*URL"),
        ("models: {small: {api_base: 'http://u:p@h/v1'}}", "no user or password; set api_key"),
        (
            "models: {m: {tier: large, deployments: [{model: x, api_base: 'http://u:p@h/v1'}]}}",
            "models.m.deployments.0.api_base: .*no user or password; set api_key",
        ),
        (
            "embeddings: {models: {e: {model: x, api_base: 'h:80'}}}",
            "embeddings.models.e.api_base: .*URL such as",
        ),
        ("telemetry: {otlp_endpoint: 'http://u:p@h'}", "no user or password; set otlp_headers"),
        ("watch: {every: .inf}", "watch.every: .*finite"),
        ("models: {small: {gguf: /nowhere.gguf}}", "models.small.gguf: Path does not point"),
        ("signals: {head: /nowhere.json}", "signals.head: Path does not point"),
        ("limits: {timeout_s: .inf}", "limits.timeout_s: .*finite"),
        ("gateway: {api_keys: ['']}", "gateway.api_keys.0: .*at least 1"),
        ("models: {m: {}}", "models.m.tier: Field required"),
        ("arms: {x: {model: nobody}}", "arms.x.model: no model 'nobody'"),
        (
            "arms: {small: {model: small, method: vote}}",
            "arms.small.method: no method 'vote'; there are",
        ),
        ("policy: {name: best}", "policy: unknown policy 'best'; known: always-large"),
        ("policy: {params: {tau: 1}}", "policy: policy 'verifiability': tau: "),
        ("limits: {max_cost_usd: -0.1}", "limits.max_cost_usd: .*greater than or equal to 0"),
        ("limits: {max_steps: many}", "limits.max_steps: .*integer"),
        ("- a list", "must be a mapping of settings, found list"),
        ("a: [", "is not valid YAML"),
    ],
)
def test_every_bad_key_is_named(tmp_path, text, says):
    with pytest.raises(ConfigError, match=says):
        load_settings(write(tmp_path, text))


def test_an_empty_file_changes_nothing(tmp_path):
    assert load_settings(write(tmp_path, "")).limits.max_steps == 4


def test_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "o.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not valid YAML"):
        load_settings(path)


def test_missing_files_name_where_they_were_named(clean_env, tmp_path):
    with pytest.raises(ConfigError, match="--config: no such file: nowhere.yaml"):
        load_settings("nowhere.yaml")
    clean_env.setenv("OCKHAM_CONFIG", "gone.yaml")
    with pytest.raises(ConfigError, match="OCKHAM_CONFIG: no such file: gone.yaml"):
        load_settings()


def test_a_mistyped_variable_is_not_ignored(clean_env):
    clean_env.setenv("ockham_limit__max_steps", "3")
    with pytest.raises(ConfigError, match="ockham_limit__max_steps: no such setting"):
        load_settings()
    clean_env.delenv("ockham_limit__max_steps")
    clean_env.setenv("OCKHAM_LIMTS__MAX_STEPS", "3")
    with pytest.raises(ConfigError, match="OCKHAM_LIMTS__MAX_STEPS: no such setting"):
        load_settings()


def test_a_variable_that_is_no_json_where_json_is_needed(clean_env):
    clean_env.setenv("OCKHAM_LIMITS", "three")
    with pytest.raises(ConfigError, match="environment: .*limits"):
        load_settings()


def test_keys_are_masked_everywhere(tmp_path):
    path = write(
        tmp_path,
        "models: {small: {api_key: sk-secret-1}}\ngateway: {api_keys: [sk-secret-2]}\n",
    )
    settings = load_settings(path)
    for text in (repr(settings), json.dumps(settings.model_dump(mode="json"))):
        assert "sk-secret" not in text
    with pytest.raises(ConfigError) as caught:
        load_settings(write(tmp_path, "models: {small: {api_key: [sk-secret-3]}}"))
    assert "sk-secret-3" not in str(caught.value)

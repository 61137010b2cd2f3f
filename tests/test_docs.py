"""Documentation that cannot rot: README's snippets run, every setting stands in default.yaml."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel
from typer.testing import CliRunner

from router import config
from router.cli import build
from router.config import Settings, load_settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def snippets(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_the_readme_is_one_page():
    assert len(README.splitlines()) < 150


def test_the_custom_policy_runs_and_is_short(clean_env, capsys):
    code = next(s for s in snippets("python") if "@register" in s)
    body = code[code.index("@register") : code.index("signals, decision")]
    assert len(body.strip().splitlines()) <= 20
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    # Five words are more than three; without a large model the small arm is what is left.
    assert capsys.readouterr().out.strip() == "small ('the question is long',)"


def test_the_yaml_snippet_is_valid(clean_env, tmp_path):
    (text,) = snippets("yaml")
    path = tmp_path / "o.yaml"
    path.write_text(text, encoding="utf-8")
    assert load_settings(path).models["small"].api_base == "http://gpu:8000/v1"


def test_every_command_in_the_readme_exists():
    app = build()
    text = "\n".join(snippets("")) + README
    names = set(re.findall(r"\bockham (ask|route|serve|demo|\w+ \w+)\b", text))
    calls = {tuple(n.split()) for n in names}
    known = {("ask",), ("route",), ("serve",)}
    assert known <= {c[:1] for c in calls}
    for call in calls:
        if call[0] in {"ask", "route", "serve", "config", "verify", "signals", "index", "bench"}:
            path = call if call[0] not in {"ask", "route", "serve"} else call[:1]
            done = CliRunner().invoke(app, [*path, "--help"])
            assert done.exit_code == 0, (call, done.output)


@pytest.mark.parametrize(
    ("section", "model"),
    [
        (("models", "small"), config.ModelSettings),
        (("arms", "small"), config.ArmSettings),
        (("policy",), config.PolicySettings),
        (("limits",), config.LimitSettings),
        (("prices",), config.PriceSettings),
        (("signals",), config.SignalSettings),
        (("knowledge",), config.KnowledgeSettings),
        (("gateway",), config.GatewaySettings),
        ((), Settings),
    ],
)
def test_every_setting_stands_in_default_yaml(section, model: type[BaseModel]):
    text = config.DEFAULTS.read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    for key in section:
        data = data[key]
    missing = [name for name in model.model_fields if name not in data and name not in text]
    assert missing == []


def test_the_version_is_in_the_changelog():
    version = re.search(
        r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert version and f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

"""Documentation that cannot rot: README's snippets run, every setting stands in default.yaml."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel
from typer.main import get_command

from router import config, settings
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


EVAL = (ROOT / "eval" / "README.md").read_text(encoding="utf-8")
CALL = re.compile(r"^(?:\$ )?ockham (.+?)(?:\s+#.*)?$", re.MULTILINE)


@pytest.mark.parametrize("text", [README, EVAL], ids=["README", "eval/README"])
def test_every_command_and_option_in_the_docs_exists(text):
    root = get_command(build())
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    blocks = "\n".join(body for language, body in fenced if not language)
    calls = [shlex.split(line.rstrip("\\ ")) for line in CALL.findall(blocks)]
    assert len(calls) >= 8
    for words in calls:
        command = root
        while hasattr(command, "commands"):
            assert words[0] in command.commands, words
            command = command.commands[words.pop(0)]
        known = {opt for param in command.params for opt in (*param.opts, *param.secondary_opts)}
        used = {w.split("=")[0] for w in words if w.startswith("--")}
        assert used <= known, (command.name, used - known)


@pytest.mark.parametrize(
    ("section", "model"),
    [
        (("models", "small"), settings.ModelSettings),
        (("arms", "small"), settings.ArmSettings),
        (("policy",), settings.PolicySettings),
        (("limits",), settings.LimitSettings),
        (("prices",), settings.PriceSettings),
        (("signals",), settings.SignalSettings),
        (("knowledge",), settings.KnowledgeSettings),
        (("gateway",), settings.GatewaySettings),
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


def test_every_policy_is_in_the_table_of_policies_and_counted():
    """In a process of its own: other tests register policies of theirs."""
    code = "from policies import available_policies as a; print(*a())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    policies = (ROOT / "policies" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z, -]+?) \| \S+\.py", policies, re.MULTILINE)
    assert sorted(name for row in rows for name in row.split(", ")) == sorted(told.stdout.split())
    assert f"[{len(told.stdout.split())} policies]" in README


def test_the_version_is_in_the_changelog():
    version = re.search(
        r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert version and f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

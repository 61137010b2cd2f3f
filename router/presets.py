"""Presets: a fitted or tuned policy as a file, with the evidence that it was written on.

    {"preset": 1, "policy": {name, version, params}, "evidence": {...}}

JSON, because a text policy has a hundred thousand weights. `eval` writes them (`ockham
policy tune`, `ockham policy promote`), the router loads them wherever a policy is named.
A preset holds the fingerprint of the featuriser it was made on: the policy refuses another.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from policies import Policy, PolicyError
from router.errors import ConfigError, SetupError

__all__ = ["preset_evidence", "read_preset", "write_preset"]

FORMAT = 1


def read_preset(path: Path) -> Policy:
    """The policy of a preset. Raises `ConfigError` naming the file and what is wrong with it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["preset"] != FORMAT:
            raise ConfigError(f"policy: preset {path} has format {data['preset']}, not {FORMAT}")
        return Policy.from_state(data["policy"])
    except OSError as error:
        raise ConfigError(f"policy: preset {path} cannot be read: {error.strerror}") from None
    except PolicyError as error:
        raise ConfigError(f"policy: preset {path}: {error}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"policy: {path} is no preset: {error!r}") from None


def preset_evidence(path: Path) -> Mapping[str, Any]:
    """What the preset was made on, as its maker wrote it; empty where it says nothing."""
    read_preset(path)  # its errors
    evidence = json.loads(path.read_text(encoding="utf-8")).get("evidence")
    return evidence if isinstance(evidence, dict) else {}


def write_preset(path: Path, policy: Policy, evidence: Mapping[str, Any]) -> None:
    """Write it whole or not at all; `path` ends in `.json`.

    Raises:
        ConfigError: the name does not end in .json.
        SetupError: the place cannot be written.
    """
    if path.suffix != ".json":
        raise ConfigError(f"--out {path}: a preset's file ends in .json")
    data = {"preset": FORMAT, "policy": policy.to_state(), "evidence": dict(evidence)}
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps(data), encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise SetupError(f"--out {path}: cannot be written: {error.strerror}") from None

"""Presets: a fitted or tuned policy as a file, with the evidence that it was written on.

    {"preset": 1, "policy": {name, version, params}, "evidence": {...}}

JSON, because a text policy has a hundred thousand weights. `eval` writes them (`ockham
policy tune`, `ockham policy promote`), the router loads them wherever a policy is named.
A kNN policy's neighbours are recorded questions: they stay outside (`router.neighbours`).
A preset holds the fingerprint of the featuriser it was made on: the policy refuses another.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from policies import KnnGain, Policy, PolicyError
from router.errors import ConfigError, SetupError
from router.neighbours import with_stored_neighbours, write_neighbours

__all__ = ["preset_evidence", "read_preset", "write_preset"]

FORMAT = 1


def read_preset(path: Path, bare: bool = False) -> Policy:
    """The policy of a preset. Raises `ConfigError` naming the file and what is wrong with it.

    bare: without the table of neighbours that some policies keep outside the file.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["preset"] != FORMAT:
            raise ConfigError(f"policy: preset {path} has format {data['preset']}, not {FORMAT}")
        policy = Policy.from_state(data["policy"])
        return policy if bare or not isinstance(policy, KnnGain) else with_stored_neighbours(policy)
    except OSError as error:
        raise ConfigError(f"policy: preset {path} cannot be read: {error.strerror}") from None
    except PolicyError as error:
        raise ConfigError(f"policy: preset {path}: {error}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"policy: {path} is no preset: {error!r}") from None


def preset_evidence(path: Path) -> Mapping[str, Any]:
    """What the preset was made on, as its maker wrote it; empty where it says nothing."""
    read_preset(path, bare=True)  # its errors
    evidence = json.loads(path.read_text(encoding="utf-8")).get("evidence")
    return evidence if isinstance(evidence, dict) else {}


def write_preset(path: Path, policy: Policy, evidence: Mapping[str, Any]) -> None:
    """Write it whole or not at all; `path` ends in `.json`. Neighbours go to the data directory:
    here the preset is ready, elsewhere they are made again.

    Raises:
        ConfigError: the name does not end in .json, or the policy holds training rows.
        SetupError: the place cannot be written.
    """
    if path.suffix != ".json":
        raise ConfigError(f"--out {path}: a preset's file ends in .json")
    for part in policy.parts():
        if part.holds_rows:
            raise ConfigError(
                f"--out {path}: {part.name} holds a row of every training query, which no preset "
                "may carry; take knn-gain (its rows are made again) or matrix-factorisation"
            )
        if isinstance(part, KnnGain) and part is not policy:
            raise ConfigError(
                f"--out {path}: {policy.name} around knn-gain cannot be a preset, since its rows "
                "are made again for the rule alone; write knn-gain's own and wrap that file"
            )
    if isinstance(policy, KnnGain) and policy.neighbours is not None:
        write_neighbours(policy, *policy.neighbours)
    data = {"preset": FORMAT, "policy": policy.to_state(), "evidence": dict(evidence)}
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps(data), encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise SetupError(f"--out {path}: cannot be written: {error.strerror}") from None

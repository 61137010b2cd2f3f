"""The result of a replay as a file: a stamp, then records and curves, one JSON object a line."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from eval.replay import Curve, Plan, Record
from eval.table import Table
from eval.writing import write_files
from router.errors import InputError

__all__ = ["data_checksum", "read_result", "stamp", "write_result"]

_KINDS: dict[str, type[Record] | type[Curve]] = {"record": Record, "curve": Curve}


def stamp(
    about: dict[str, Any], command: Sequence[str], plan: Plan, tables: Sequence[Table], s: float
) -> dict[str, Any]:
    """What a stranger needs to make the same numbers again. `s`: seconds it took."""
    return {
        "command": "ockham " + " ".join(command),
        "source": about.get("name"),
        "licence": about.get("licence"),
        "files": about.get("files") or about.get("checksums") or {},
        "plan": asdict(plan),
        "tables": [
            {
                "benchmark": t.benchmark,
                "arms": [a.name for a in t.arms],
                "questions": t.questions,
                "incomplete": t.incomplete,
                "accuracy": t.score.mean(axis=0).tolist(),
                "usd_per_1000": (1000 * t.cost.mean(axis=0)).tolist(),
                "checksum": data_checksum(t),
                "features": t.features.fingerprint if t.features else None,
            }
            for t in tables
        ],
        "versions": {name: version(name) for name in ("ockham-router", "numpy", "scikit-learn")},
        "seconds": round(s, 1),
    }


def data_checksum(table: Table) -> str:
    """16 hex digits over ids, scores and costs: equal prints, equal numbers."""
    import hashlib

    digest = hashlib.sha256("\n".join(table.query_id).encode())
    digest.update(np.ascontiguousarray(table.score).tobytes())
    digest.update(np.ascontiguousarray(table.cost).tobytes())
    return digest.hexdigest()[:16]


def write_result(path: Path, made: dict[str, Any], items: Iterable[Record | Curve]) -> None:
    """Write it whole or not at all."""
    lines = [json.dumps({"kind": "stamp", **made}, sort_keys=True)]
    for item in items:
        kind = "record" if isinstance(item, Record) else "curve"
        lines.append(json.dumps({"kind": kind, **item.model_dump(mode="json")}))
    write_files(path.parent, {path.name: ("\n".join(lines) + "\n").encode()})


def read_result(path: Path) -> tuple[dict[str, Any], list[Record], list[Curve]]:
    """Stamp, records and curves. Raises `InputError` naming file and line."""
    made: dict[str, Any] = {}
    items: list[Record | Curve] = []
    number = 0
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):  # noqa: B007 - the message names it
                item = json.loads(line)
                if not isinstance(item, dict):
                    raise ValueError("no object")
                kind = str(item.pop("kind", "record"))
                if kind == "stamp":
                    made = item
                else:
                    items.append(_KINDS[kind].model_validate(item))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, ValidationError) as error:
        why = str(error).splitlines()[0]
        raise InputError(f"{path}, line {number}: no record of `ockham replay`: {why}") from None
    records = [i for i in items if isinstance(i, Record)]
    if not records:
        raise InputError(f"{path}: holds no records; make one with `ockham replay --out`")
    return made, records, [i for i in items if isinstance(i, Curve)]

"""`ockham index eval`: the command line of `eval.knowledge.retrieval`.

Only typer is imported before it runs.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from eval.compare import Interval
    from eval.knowledge.retrieval import Group
    from eval.knowledge.split import Part

__all__ = ["index_eval"]


def index_eval(
    path: Annotated[
        Path | None, typer.Option("--path", help="The index folder; else knowledge.path.")
    ] = None,
    part: Annotated[
        str, typer.Option(help="Countries that are asked: score, tune or fit.")
    ] = "score",
    n: Annotated[int, typer.Option("-n", min=10, help="Questions; drawn by the seed.")] = 4000,
    seed: Annotated[int, typer.Option(help="Of templates, draw and resamples.")] = 0,
    two_hop: Annotated[
        bool, typer.Option("--two-hop", help="Describe the country; with and without a follow-up.")
    ] = False,
    config: Annotated[
        str | None, typer.Option("--config", help="Configuration file or name.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Recall of the Factbook index on generated questions, by words, by meaning, and both."""
    import json

    from eval.knowledge.opening import open_index
    from eval.knowledge.questions import checksum, draw, generate
    from eval.knowledge.retrieval import measure
    from eval.knowledge.split import PARTS, part_of
    from router.errors import InputError

    if part not in PARTS:
        raise InputError(f"part {part!r}: one of {', '.join(PARTS)}")
    if two_hop:
        _two_hop(path, config, part, n, seed, as_json)
        return
    whole = generate(seed)
    asked = draw([q for q in whole if part_of(q.code) == part], n, seed)
    with open_index(path, config) as index:
        stamp: dict[str, Any] = {
            "part": part,
            "n": len(asked),
            "seed": seed,
            "questions": checksum(whole),
            "asked": checksum(asked),
            "index": index.fingerprint,
            "passages": index.size,
        }
        done = measure(index, asked, seed=seed, progress=_progress(len(asked)))
    if as_json:
        typer.echo(json.dumps({"stamp": stamp, "groups": [_plain(g) for g in done.groups]}))
        return
    _table(done.groups, " ".join(f"{name} {value}" for name, value in stamp.items()))


def _two_hop(
    path: Path | None, config: str | None, part: "Part", n: int, seed: int, as_json: bool
) -> None:
    import json

    from eval.knowledge.opening import open_index
    from eval.knowledge.two_hop import measure, two_hop

    with open_index(path, config) as index:
        told = measure(index, two_hop(n, part, seed))
        fingerprint = index.fingerprint
    recall = {"one search": told.without, "follow-up": told.with_, "gain": told.gain}
    if as_json:
        rows = {name: got._asdict() for name, got in recall.items()}
        stamp = {"part": part, "n": told.n, "seed": seed, "index": fingerprint}
        typer.echo(json.dumps({"stamp": stamp, "recall@5": rows, "named": told.right_name}))
        return
    for name, got in recall.items():
        typer.echo(f"{name:12} {got.value:.3f} [{got.low:.3f}, {got.high:.3f}]")
    typer.echo(
        f"recall@5, {told.n} questions of part {part}, seed {seed}, index {fingerprint}; "
        f"the second query names the country in {told.right_name} of {told.followed}"
    )


def _progress(n: int) -> Any:
    def said(done: int) -> None:
        if done % 1000 == 0 or done == n:
            typer.echo(f"asked {done} of {n}", err=True)

    return said


def _plain(group: "Group") -> dict[str, Any]:
    return {
        "name": group.name,
        "mode": group.mode,
        "n": group.n,
        "recall": {str(cut): interval._asdict() for cut, interval in group.recall.items()},
        "mrr": group.mrr._asdict(),
        "hybrid_less": {other: interval._asdict() for other, interval in group.over.items()},
    }


def _table(groups: "tuple[Group, ...]", stamp: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Recall of passages that hold the answer", caption=stamp)
    for name in ("slice", "mode", "n", "@1", "@3", "@5", "95 %", "@10", "MRR", "less (@5)"):
        table.add_column(name, justify="left" if name in ("slice", "mode") else "right")
    for group in groups:
        at = group.recall
        less = "; ".join(f"{other} {_signed(i)}" for other, i in group.over.items())
        table.add_row(
            *(group.name, group.mode, str(group.n), f"{at[1].value:.3f}", f"{at[3].value:.3f}"),
            *(f"{at[5].value:.3f}", f"[{at[5].low:.3f}, {at[5].high:.3f}]"),
            *(f"{at[10].value:.3f}", f"{group.mrr.value:.3f}", less),
        )
    Console(width=150).print(table)


def _signed(interval: "Interval") -> str:
    return f"{interval.value:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"

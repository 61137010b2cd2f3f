"""`ockham index calibrate`: the command line of `eval.fit.answerability`.

Only typer is imported before it runs.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from eval.fit.answerability import Row, Scored
    from router.knowledge.answerability import Fit

__all__ = ["index_calibrate"]


def index_calibrate(
    path: Annotated[
        Path | None, typer.Option("--path", help="The Factbook's index; else knowledge.path.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Data with NQ-open and TriviaQA; default OCKHAM_SHARED_DATA."),
    ] = None,
    n: Annotated[int, typer.Option("-n", min=50, help="Questions a fold and part.")] = 800,
    outside: Annotated[int, typer.Option(min=0, help="Questions of NQ-open and TriviaQA.")] = 550,
    seed: Annotated[int, typer.Option(help="Of templates, folds and resamples.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for answerability.json and the picture.")
    ] = None,
    ship: Annotated[
        bool, typer.Option("--ship", help="Write the package's own answerability.json.")
    ] = False,
    config: Annotated[
        str | None, typer.Option("--config", help="Configuration file or name.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fit P(the passages hold the answer), with a fifth of countries and fields taken out."""
    import json

    from eval.fit.answerability import fits_of, gather, scores, stored
    from eval.knowledge.opening import configured
    from eval.knowledge.questions import checksum, generate
    from router.knowledge.answerability import FITTED, load_fits
    from router.knowledge.storage import current_version, read_manifest

    place, encoder = configured(path, config)
    rows = gather(place, encoder, n, seed, lambda said: typer.echo(said, err=True))
    fits = fits_of(rows)
    stamp: dict[str, Any] = {
        "encoder": encoder.fingerprint,
        "index": read_manifest(current_version(place)).fingerprint,
        "questions": checksum(generate(seed)),
        "seed": seed,
        "fitted_on": sum(row.part == "fit" for row in rows),
        "scored_on": sum(row.part == "score" for row in rows),
    }
    body = json.dumps({"stamp": stamp, "fits": stored(fits)}, indent=1) + "\n"
    for folder in ([out] if out else []) + ([FITTED.parent] if ship else []):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FITTED.name).write_text(body, encoding="utf-8")
        typer.echo(f"wrote {folder / FITTED.name}", err=True)
    load_fits.cache_clear()
    if out:
        (out / "reliability.png").write_bytes(_picture(rows, fits, stamp))
    scored = {name: scores(rows, fit, seed) for name, fit in fits.items()}
    strange = _outside(place, encoder, data, outside, seed, fits["scored"]) if outside else []
    if as_json:
        plain = {name: [_plain(s) for s in found] for name, found in scored.items()}
        typer.echo(json.dumps({"stamp": stamp, "scores": plain, "outside": strange}))
        return
    _table(scored, stamp)
    for row in strange:
        typer.echo("  ".join(f"{name} {value}" for name, value in row.items()))


def _outside(
    place: Path, encoder: Any, data: Path | None, n: int, seed: int, fit: "Fit"
) -> list[dict[str, Any]]:
    """False-answerable rates on questions that the fit has not seen the like of."""
    import numpy as np

    from eval.compare import wilson
    from eval.knowledge.outside import FILES, ask_outside, read_outside
    from eval.metrics.calibration import auroc
    from eval.sources.shared import shared_data
    from router.knowledge.index import KnowledgeIndex

    found = []
    with KnowledgeIndex.open(place, encoder) as index:
        for name in FILES:
            asked = ask_outside(index, read_outside(shared_data(data), name, n, seed), fit)
            p = np.array([one.p for one in asked])
            held = np.array([float(one.held) for one in asked])
            absent = held == 0
            rate = wilson(float((p[absent] >= 0.5).sum()), int(absent.sum()))
            found.append(
                {
                    "questions": name,
                    "n": len(asked),
                    "held_by_proxy": round(float(held.mean()), 4),
                    "mean_p": round(float(p.mean()), 4),
                    "false_answerable": [round(v, 4) for v in rate[:3]],
                    "auroc_of_proxy": round(auroc(p, held), 4),
                }
            )
    return found


def _plain(scored: "Scored") -> dict[str, Any]:
    return scored._asdict() | {
        "held": scored.held._asdict(),
        "indexed": scored.indexed._asdict(),
    }


def _table(scored: "dict[str, list[Scored]]", stamp: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title="P(the passages hold the answer): other countries and fields than fitted",
        caption=" ".join(f"{name} {value}" for name, value in stamp.items()),
    )
    columns = ("signs", "slice", "n", "held", "AUROC held", "AUROC in the index", "ECE", "Brier")
    for name in columns:
        table.add_column(name, justify="left" if name in ("signs", "slice") else "right")
    for name, found in scored.items():
        for s in found:
            both = [f"{i.value:.3f} [{i.low:.3f}, {i.high:.3f}]" for i in (s.held, s.indexed)]
            last = (f"{s.ece:.3f}", f"{s.brier:.3f}")
            table.add_row(name, s.name, str(s.n), f"{s.base:.3f}", *both, *last)
    Console(width=140).print(table)


def _picture(rows: "list[Row]", fits: "dict[str, Fit]", stamp: dict[str, Any]) -> bytes:
    import numpy as np

    from eval.fit.answerability import probabilities
    from eval.fit.reliability import Series, reliability
    from router.knowledge.answerability import READ

    mine = [row for row in rows if row.part == "score" and row.read == max(READ)]
    held = np.array([float(row.held) for row in mine])
    hard = np.array([row.hard for row in mine])
    p = {name: probabilities(mine, fit) for name, fit in fits.items()}
    scored = p["scored"]
    return reliability(
        [
            ("all, with the search's scores", [Series("scored", scored, held)]),
            (
                "by template",
                [
                    Series("easy", scored[~hard], held[~hard]),
                    Series("hard", scored[hard], held[hard]),
                ],
            ),
            ("words alone", [Series("words", p["words"], held)]),
        ],
        f"Factbook with a fifth of countries and fields taken out; other countries and fields "
        f"than fitted; {max(READ)} read; index {stamp['index']}, seed {stamp['seed']}",
        "Does the judge of passages mean its probability?",
        "share whose passages hold the answer",
    )

"""`ockham index build | search | stats`.

Results go to standard output, progress to standard error. Place and encoder are those of the
configuration (`knowledge.path`, `signals.encoder`), so that what is built is what is read.
"""

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from router.commands import ConfigOption

if TYPE_CHECKING:
    from router.knowledge.build import BuildReport
    from router.knowledge.index import KnowledgeIndex
    from router.signals.encoder import Encoder

__all__ = ["app", "build_factbook"]

app = typer.Typer(help="The knowledge index: build it, search it.", no_args_is_help=True)

PathOption = Annotated[
    Path | None, typer.Option("--path", help="The index folder; else knowledge.path.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def build_factbook(path: Path, encoder: "Encoder", *, force: bool = False) -> "BuildReport":
    """The packaged World Factbook's index at `path`, with a progress bar on standard error."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from router.knowledge.build import build_index
    from router.knowledge.factbook import load_factbook

    corpus = load_factbook()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("embedding passages", total=len(corpus.chunks))
        return build_index(
            path,
            encoder,
            corpus.chunks,
            corpus.fingerprint,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            force=force,
        )


@app.command()
def build(
    path: PathOption = None,
    force: Annotated[bool, typer.Option("--force", help="Embed every passage again.")] = False,
    config: ConfigOption = None,
) -> None:
    """Build or update the index over the CIA World Factbook; an interrupted build resumes."""
    place, encoder = _configured(path, config)
    report = build_factbook(place, encoder, force=force)
    what = "built" if report.changed else "up to date"
    typer.echo(
        f"{what}: {report.chunks} passages ({report.embedded} embedded, {report.reused} reused) "
        f"in {report.seconds:.1f} s at {place}"
    )


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    path: PathOption = None,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="How many passages.")] = 5,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Print the passages nearest in meaning to QUERY."""
    with closing(_open(path, config)) as index:
        passages = index.search(query, k)
    if as_json:
        typer.echo(json.dumps([p.model_dump() for p in passages], ensure_ascii=False, indent=1))
        return
    for passage in passages:
        typer.echo(f"{passage.score:.3f}  {passage.title}  [{passage.source}]\n  {passage.text}")


@app.command()
def stats(
    path: PathOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """Print what the index holds and what it was made with."""
    with closing(_open(path, config)) as index:
        facts: dict[str, str | int] = {
            "path": str(index.path),
            "passages": index.size,
            "dim": index.manifest.dim,
            "encoder": index.manifest.encoder,
            "corpus": index.manifest.corpus,
            "bytes": sum(file.bytes for file in index.manifest.files.values()),
            "fingerprint": index.fingerprint,
        }
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    for name, value in facts.items():
        typer.echo(f"{name:12} {value}")


def _configured(path: Path | None, config: str | None) -> "tuple[Path, Encoder]":
    from router.config import load_settings
    from router.paths import data_dir

    settings = load_settings(config)
    place = path or settings.knowledge.path or data_dir() / "knowledge"
    return place, _encoder(settings.signals.encoder)


def _encoder(model: str) -> "Encoder":
    from router.signals.encoder import Encoder

    return Encoder(model)


def _open(path: Path | None, config: str | None) -> "KnowledgeIndex":
    from router.knowledge.index import KnowledgeIndex

    place, encoder = _configured(path, config)
    return KnowledgeIndex.open(place, encoder)

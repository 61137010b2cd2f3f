"""`ockham index add | build | list | remove | search | stats | verify`.

Results go to standard output, progress to standard error. Place and encoder are those of the
configuration (`knowledge.path`, `signals.encoder`), so that what is built is what is read.
"""

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from router.commands import ConfigOption
from router.errors import InputError, KnowledgeError
from router.knowledge.push_command import push
from router.knowledge.show import (
    passage_text,
    print_report,
    progress_options,
    soundness_text,
    sources_text,
)

if TYPE_CHECKING:
    from router.knowledge.index import KnowledgeIndex, Mode
    from router.signals.encoder import Encoder

__all__ = ["app"]

app = typer.Typer(help="The knowledge index: add documents, search them.", no_args_is_help=True)

PathOption = Annotated[
    Path | None, typer.Option("--path", help="The index folder; else knowledge.path.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Read and embed everything again.")]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Change nothing where a document cannot be read.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def build(
    path: PathOption = None,
    force: ForceOption = False,
    strict: StrictOption = False,
    config: ConfigOption = None,
) -> None:
    """Read all sources again and update the index; the CIA World Factbook, where none is
    registered. Unchanged documents are not read again; an interrupted build resumes."""
    from router.knowledge.update import update

    place, encoder = _configured(path, config)
    with progress_options(force, strict) as options:
        report = update(place, encoder, options)
    print_report(report, place)


@app.command()
def add(
    places: Annotated[
        list[str], typer.Argument(help="Files, folders, package:NAME (installed), or factbook.")
    ],
    collection: Annotated[
        str, typer.Option("--collection", help="A name to filter by; else the source's own.")
    ] = "",
    include: Annotated[
        list[str] | None, typer.Option("--include", help="Only files like this: 'docs/*.md'.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help="No files like this: '*/old/*'.")
    ] = None,
    path: PathOption = None,
    force: ForceOption = False,
    strict: StrictOption = False,
    config: ConfigOption = None,
) -> None:
    """Register sources and build: text, Markdown, HTML, PDF, DOCX, JSONL, CSV, source code.

    A document that cannot be read is named with the reason, and passed over.
    """
    from router.knowledge.sources import source_of
    from router.knowledge.update import add_sources

    new = [source_of(place, collection, include or (), exclude or ()) for place in places]
    place, encoder = _configured(path, config)
    with progress_options(force, strict) as options:
        report = add_sources(place, encoder, new, options)
    print_report(report, place)


@app.command()
def remove(
    source: Annotated[str, typer.Argument(help="Its name in `ockham index list`, or its place.")],
    path: PathOption = None,
    force: ForceOption = False,
    config: ConfigOption = None,
) -> None:
    """Build the index without one source, and forget it."""
    from router.knowledge.update import remove_source

    place, encoder = _configured(path, config)
    with progress_options(force, False) as options:
        report = remove_source(place, encoder, source, options)
    print_report(report, place)


@app.command("list")
def list_(
    path: PathOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """Print the sources, what the index has of each, and what could not be read."""
    from router.knowledge.survey import list_sources

    rows = list_sources(_place(path, config))
    typer.echo(json.dumps(rows, ensure_ascii=False, indent=1) if as_json else sources_text(rows))


@app.command()
def verify(
    path: PathOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """Check every file, passage and row of the index, and whether the sources have changed."""
    from router.knowledge.survey import verify as look

    found = look(_place(path, config))
    if as_json:
        typer.echo(json.dumps(found._asdict(), ensure_ascii=False, indent=1))
    else:
        typer.echo(soundness_text(found))
    if found.broken:
        raise typer.Exit(KnowledgeError.exit_code)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    path: PathOption = None,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="How many passages.")] = 5,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", help="KEY=VALUE; one key again: any; keys: all must match."),
    ] = None,
    mode: Annotated[str, typer.Option("--mode", help="hybrid, dense or lexical.")] = "hybrid",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Print the passages nearest to QUERY, in words and in meaning.

    Filters: collection, document, kind, section, source (by its beginning), and what else
    `--json` shows under `meta`: `--where collection=handbook --where kind=markdown`.
    """
    from router.knowledge.filters import parsed

    if not query.strip():
        raise InputError("the query is empty: say what to look for")
    wanted = parsed(where or ())
    with closing(_open(path, config)) as index:
        passages = index.search(query, k, where=wanted, mode=cast("Mode", mode))
    if as_json:
        typer.echo(json.dumps([p.model_dump() for p in passages], ensure_ascii=False, indent=1))
        return
    if not passages:
        typer.echo("no passage is found" + (" that matches --where" if wanted else ""), err=True)
    for passage in passages:
        typer.echo(passage_text(passage))


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


app.command()(push)


def _configured(path: Path | None, config: str | None) -> "tuple[Path, Encoder]":
    from router.config import load_settings

    settings = load_settings(config)
    return path or settings.knowledge.folder, _encoder(settings.signals.encoder)


def _place(path: Path | None, config: str | None) -> Path:
    from router.config import load_settings

    return path or load_settings(config).knowledge.folder


def _encoder(model: str) -> "Encoder":
    from router.signals.encoder import Encoder

    return Encoder(model)


def _open(path: Path | None, config: str | None) -> "KnowledgeIndex":
    from router.knowledge.index import KnowledgeIndex

    place, encoder = _configured(path, config)
    return KnowledgeIndex.open(place, encoder)

"""`ockham index push`: the built index, brought to the Milvus that the settings name."""

from pathlib import Path
from typing import Annotated

import typer

from router.commands import ConfigOption

__all__ = ["push"]


def push(
    path: Annotated[
        Path | None, typer.Option("--path", help="The index folder; else knowledge.path.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Put the built index on Milvus (setting `knowledge.milvus`), for replicas to share."""
    from router.config import load_settings
    from router.errors import ConfigError
    from router.knowledge.milvus_push import push as push_all
    from router.knowledge.passages import load_chunks, load_vectors
    from router.knowledge.storage import current_version, read_manifest

    settings = load_settings(config).knowledge
    if settings.milvus is None:
        raise ConfigError(
            "there is no Milvus to push to: set `knowledge.milvus` in the configuration, for "
            'example {uri: "http://milvus:19530"}'
        )
    version = current_version(path or settings.folder)
    manifest = read_manifest(version)
    pushed = push_all(
        settings.milvus,
        load_chunks(version, manifest),
        load_vectors(version, manifest),
        manifest.encoder,
        manifest.corpus,
        progress=lambda done, total: typer.echo(f"pushed {done:,} of {total:,}", err=True),
    )
    typer.echo(
        f"{settings.milvus.collection} on {settings.milvus.uri} is now {pushed.collection}: "
        f"{pushed.passages:,} passages"
    )

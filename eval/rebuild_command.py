"""`ockham policy rebuild`: the neighbours of a kNN preset again, from the stored outcomes.

Only typer is imported before the command runs.
"""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["rebuild"]


def rebuild(
    preset: Annotated[Path, typer.Argument(help="A preset of knn-gain (.json).")],
    source: Annotated[
        str | None, typer.Option(help="The outcome set or its folder; default: the preset's.")
    ] = None,
) -> None:
    """Make the neighbours that a kNN preset names and does not hold; checked by its checksum."""
    from eval.rebuild import rebuild_neighbours
    from policies import KnnGain
    from router.errors import InputError
    from router.presets import read_preset

    policy = read_preset(preset, bare=True)
    if not isinstance(policy, KnnGain):
        raise InputError(f"{preset}: {policy.name} holds all that it needs; nothing to rebuild")
    path = rebuild_neighbours(policy, source, say=lambda s: typer.echo(s, err=True))
    typer.echo(f"wrote {path}: {len(policy.queries):,} neighbours, checksum {policy.checksum}")

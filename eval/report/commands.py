"""`ockham report`: a page and pictures from the results of replays.

Only typer is imported before the command runs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["report", "write_report"]


def report(
    results: Annotated[list[Path], typer.Argument(help="Files of `ockham replay --out`.")],
    out: Annotated[Path, typer.Option(help="Folder for index.html and the PNGs.")] = Path("report"),
) -> None:
    """Draw the records of replays: one self-contained HTML page, and PNG figures."""
    for name in write_report(results, out):
        typer.echo(str(out / name))


def write_report(results: list[Path], out: Path) -> list[str]:
    """Write the files into a folder, all of them made before the first is written.

    Raises:
        InputError: a file holds no result of a replay.
        SetupError: the folder cannot be written, or a library is missing.
    """
    from router.errors import SetupError

    try:
        from eval.report.data import load
        from eval.report.figures import pictures
        from eval.report.page import page
        from eval.report.style import styles
        from eval.writing import write_files
    except ModuleNotFoundError as error:
        raise SetupError(f"{error.name} is missing: pip install 'ockham-router[eval]'") from None

    sources, sections = load(results)
    looks = styles(sections)
    drawn = [pictures(s, look) for s, look in zip(sections, looks, strict=True)]
    files: dict[str, bytes] = {}
    for section, made in zip(sections, drawn, strict=True):
        slug = _slug(f"{section.source}-{section.benchmark}", files)
        files |= {f"{slug}-{name}.png": data for name, data in made.items()}
    files["index.html"] = page(sources, sections, looks, drawn).encode()
    write_files(out, files)
    return list(files)


def _slug(text: str, files: Mapping[str, bytes]) -> str:
    """A file name of letters and digits that no earlier section has."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in text.lower())
    base = "-".join(part for part in plain.split("-") if part)[:80] or "section"
    slug, count = base, 1
    while any(name.startswith(f"{slug}-") for name in files):
        count += 1
        slug = f"{base}-{count}"
    return slug

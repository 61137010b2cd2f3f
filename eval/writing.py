"""What commands leave behind: files whole or not at all, JSON without NaN, pages."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from router.errors import SetupError

__all__ = ["finite", "render", "write_files"]


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Each under a hidden name first; renamed in their order when all are there.

    Raises:
        SetupError: the folder cannot be made, or a file in it not be written.
    """
    new = {name: folder / f".{name}.new" for name in files}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            for name, data in files.items():
                new[name].write_bytes(data)
            for name, path in new.items():
                path.replace(folder / name)
        finally:
            for path in new.values():
                path.unlink(missing_ok=True)
    except OSError as error:
        where = folder if len(files) > 1 else folder.joinpath(*files)
        raise SetupError(f"--out {where}: cannot be written: {error.strerror}") from None


def finite(value: Any) -> Any:
    """Plain data for JSON, which has no NaN and no infinity: null stands for them."""
    if isinstance(value, Mapping):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def render(folder: Path, **context: object) -> str:
    """The folder's `page.html.j2`, filled in. An undefined name is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("page.html.j2").render(**context)

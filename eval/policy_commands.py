"""Tune a policy to a budget or an error rate, and promote it."""

import typer

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Tune a policy to a budget or an error rate, and promote it."
)


@app.callback()
def _group() -> None:
    """Tune a policy to a budget or an error rate, and promote it."""

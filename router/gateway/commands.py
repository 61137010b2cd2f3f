"""`ockham serve`: the gateway as a process, or several."""

from typing import Annotated

import typer

from router.commands import ConfigOption
from router.config import load_settings

__all__ = ["serve"]


def serve(
    host: Annotated[str | None, typer.Option(help="Address to bind; default gateway.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 picks a free one.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; default gateway.workers.")] = None,
    config: ConfigOption = None,
) -> None:
    """Serve OpenAI's API: chat completions, responses, embeddings, models.

    SIGHUP reloads the configuration, SIGTERM drains.
    """
    from router.gateway.serve import AppFactory, config_path, run

    named = {"host": host, "port": port, "workers": workers}
    chosen = {name: value for name, value in named.items() if value is not None}
    overrides = {"gateway": chosen} if chosen else {}
    factory = AppFactory(config_path(config), overrides)
    run(factory, load_settings(factory.config, **overrides))

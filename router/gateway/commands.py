"""`ockham serve`: the gateway as a process."""

from typing import Annotated

import typer

from router.commands import ConfigOption
from router.config import load_settings
from router.facade import Router

__all__ = ["serve"]


def serve(
    host: Annotated[str | None, typer.Option(help="Address to bind; default gateway.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 picks a free one.")] = None,
    config: ConfigOption = None,
) -> None:
    """Serve /v1/chat/completions and /v1/models, OpenAI's shape."""
    chosen = {k: v for k, v in {"host": host, "port": port}.items() if v is not None}
    settings = load_settings(config, **({"gateway": chosen} if chosen else {}))
    import uvicorn

    from router.gateway.app import create_app

    uvicorn.run(
        create_app(Router(settings)),
        host=settings.gateway.host,
        port=settings.gateway.port,
        log_level="info",
        access_log=False,
    )

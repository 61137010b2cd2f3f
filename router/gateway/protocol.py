"""uvicorn's HTTP protocol, with bounds on clients that are slow, large or many.

uvicorn waits without end for the rest of a request's headers, takes headers of any size, and
lets a client that reads nothing hold its connection; here each has a limit.
"""

import asyncio
import json
import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from router.gateway.errors import error_body
from router.settings import GatewaySettings

__all__ = ["BoundedProtocol"]

_LOG = logging.getLogger(__name__)
_PHRASES = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large",
            503: "Service Unavailable"}  # fmt: skip
FLUSH_S = 5.0
"""A closing connection's last bytes may take so long."""


class BoundedProtocol(HttpToolsProtocol):
    """What uvicorn is given as `http`; its limits are those of the application it serves."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        app: Any = self.config.loaded_app
        while not hasattr(app, "state"):  # what uvicorn puts around an application
            app = app.app
        self.limits: GatewaySettings = app.state.gateway.generation.settings.gateway
        self._head_timer: asyncio.TimerHandle | None = None
        self._in_head = False
        self._head_bytes = 0
        self._refused = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.limits.max_connections:
            self._refuse(503, "too many connections (gateway.max_connections)", "queue_full")
            return
        self._time_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused or self.transport.is_closing():
            return
        if self._head_timer is None and (self.cycle is None or self.cycle.response_complete):
            self._time_head()
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.max_header_bytes:
                self._too_large()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_timer()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.limits.max_header_bytes:
            self._too_large()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._refused:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg, "invalid_http")

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        # `close` waits for a client that may never read.
        self.loop.call_later(FLUSH_S, self.transport.abort)

    # -- inside -----------------------------------------------------------------------

    def _time_head(self) -> None:
        self._head_timer = self.loop.call_later(self.limits.header_timeout_s, self._too_slow)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        if self._in_head:
            self._refuse(408, "the headers did not arrive in time", "request_timeout")
        elif self.cycle is None and not self.transport.is_closing():
            self.transport.abort()  # connected, and never asked anything

    def _too_large(self) -> None:
        said = f"the headers are over gateway.max_header_bytes = {self.limits.max_header_bytes}"
        self._refuse(431, said, "headers_too_large")

    def _refuse(self, status: int, message: str, code: str) -> None:
        """Answer once, in OpenAI's shape, and hang up."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self._stop_timer()
        kind = "server_error" if status >= 500 else "invalid_request_error"
        body = json.dumps(error_body(message, kind, code, None)).encode()
        retry = b"retry-after: 1\r\n" if status == 503 else b""
        self.transport.write(
            b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
            b"%sconnection: close\r\n\r\n%s"
            % (status, _PHRASES[status].encode(), len(body), retry, body)
        )
        self.transport.close()
        self.loop.call_later(FLUSH_S, self.transport.abort)

"""A gateway process in miniature: uvicorn in a thread, on a router with fake hosted models."""

import socket
import threading
import time

import pytest
import uvicorn

from router.gateway.app import create_app
from router.gateway.protocol import BoundedProtocol


class Served:
    """A running gateway: its `url`, its `app`."""

    def __init__(self, router, **kwargs):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.app = create_app(router, **kwargs)
        config = uvicorn.Config(
            self.app,
            log_level="error",
            log_config=None,
            lifespan="on",
            http=BoundedProtocol,
            timeout_graceful_shutdown=5,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],))
        self.thread.start()
        while not self.server.started and self.thread.is_alive():
            time.sleep(0.01)

    @property
    def gateway(self):
        return self.app.state.gateway

    def stop(self):
        self.server.should_exit = True
        self.thread.join(20)
        self.socket.close()


@pytest.fixture
def serve(make_router):
    """`serve(small, large, gateway={...}, parts=[...])`: a running gateway; ended afterwards."""
    running = []

    def start(*args, parts=None, load=None, **kwargs):
        served = Served(make_router(*args, **kwargs), parts=parts, load=load)
        running.append(served)
        return served

    yield start
    for served in running:
        served.stop()

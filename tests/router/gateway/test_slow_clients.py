"""Clients that are slow, large or silent are let go, and told why where they can be told."""

import json
import socket
import time

import pytest

ASK = {"model": "ockham/auto", "messages": [{"role": "user", "content": "Hello there!"}]}
LIMITS = {
    "header_timeout_s": 0.5, "body_timeout_s": 0.5, "send_timeout_s": 0.5,
    "max_header_bytes": 2048, "max_connections": 4,
}  # fmt: skip


@pytest.fixture
def dial(serve, fake_model):
    served = serve(fake_model, gateway=LIMITS)
    opened = []

    def connect():
        client = socket.create_connection(served.url.removeprefix("http://").split(":"), 20)
        opened.append(client)
        return client

    yield connect
    for client in opened:
        client.close()


def told(client):
    """Everything that comes until the server hangs up: status, body."""
    said = b""
    while piece := client.recv(65536):
        said += piece
    if not said:
        return None, None
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]


def test_headers_that_never_end(dial):
    client = dial()
    client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-a: ")
    status, error = told(client)
    assert (status, error["code"]) == (408, "request_timeout")


def test_a_connection_that_asks_nothing(dial):
    start = time.monotonic()
    assert told(dial()) == (None, None)
    assert time.monotonic() - start < 15


@pytest.mark.parametrize("whole", [True, False])
def test_headers_that_are_too_large(dial, whole):
    client = dial()
    end = b"\r\n\r\n" if whole else b""
    client.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\nx-a: " + b"a" * 4000 + end)
    status, error = told(client)
    assert (status, error["code"]) == (431, "headers_too_large")


def test_what_is_no_http(dial):
    client = dial()
    client.sendall(b"\x16\x03\x01 what?\r\n\r\n")
    assert told(client)[0] == 400


def test_a_body_that_never_ends(dial):
    client = dial()
    client.sendall(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
        b'content-type: application/json\r\ncontent-length: 100\r\n\r\n{"model"'
    )
    status, error = told(client)
    assert (status, error["code"]) == (408, "request_timeout")


def test_one_connection_too_many(dial):
    held = [dial() for _ in range(4)]
    time.sleep(0.2)
    status, error = told(dial())
    assert (status, error["code"]) == (503, "queue_full")
    assert held


def test_a_client_that_does_not_read_is_let_go(serve, fake_model):
    fake_model.replay = tuple({"content": "x" * 20_000} for _ in range(400))
    served = serve(fake_model, gateway=LIMITS)
    body = json.dumps({**ASK, "stream": True}).encode()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = served.url.removeprefix("http://").split(":")
        client.connect((host, int(port)))
        client.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )
        deadline = time.monotonic() + 20
        seen = False
        while time.monotonic() < deadline and not (seen and not served.gateway.running):
            seen = seen or bool(served.gateway.running)
            time.sleep(0.02)
        assert seen and not served.gateway.running
        assert served.gateway.places.running == 0

"""No address that only the gateway can reach gets through an image's URL."""

import httpx
import pytest

from router.gateway.errors import Refused
from router.gateway.images import check_image
from tests.router.test_plain import can

PNG = "data:image/png;base64,iVBORw0KGgo="


def test_a_data_url_is_taken():
    check_image(PNG, "p", allow_urls=False)


@pytest.mark.parametrize(
    "url",
    [
        "data:text/html;base64,PGI+", "data:image/svg+xml;base64,PGI+", "data:image/png,abc",
        "data:image/png;base64,@@@", "data:image/png;base64,", "DATA:image/png;base64,iVBORw0KGgo=",
        "https://example.com/a.png", "file:///etc/passwd", "gopher://example.com", "",
    ],
)  # fmt: skip
def test_what_is_no_image_is_refused(url):
    with pytest.raises(Refused) as refused:
        check_image(url, "p", allow_urls=False)
    assert (refused.value.status, refused.value.code) == (400, "invalid_image_url")


def test_a_public_address_only_where_it_is_allowed():
    check_image("https://example.com/a.png", "p", allow_urls=True)
    check_image("https://8.8.8.8/a.png", "p", allow_urls=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.png", "https://localhost/a", "https://localhost./a",
        "https://127.0.0.1/a", "https://127.1/a", "https://2130706433/a", "https://0x7f.1/a",
        "https://0/a", "https://169.254.169.254/latest/meta-data", "https://10.0.0.1/a",
        "https://[::1]/a", "https://[::ffff:127.0.0.1]/a", "https://[fd00::1]/a",
        "https://metadata.google.internal/a", "https://gpu/a", "https://x.local/a",
        "https://user@example.com/a", "https://example.com:8080/a", "https://exa mple.com/a",
        "https://example.com\\@127.0.0.1/a", "https://ex\u00e4mple.com/a", "https:///a",
        "https://example.com:99999/a", "file:///etc/passwd", "ftp://example.com/a",
    ],
)  # fmt: skip
def test_no_private_address(url):
    with pytest.raises(Refused):
        check_image(url, "p", allow_urls=True)


def test_an_address_is_passed_on_as_it_came_where_the_operator_allows_it(
    serve, fake_model, other_fake_model
):
    served = serve(
        fake_model, other_fake_model,
        models=can("images", fake=other_fake_model), gateway={"allow_image_urls": True},
    )  # fmt: skip

    def ask(url):
        image = {"type": "image_url", "image_url": {"url": url}}
        turn = {"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]}
        body = {"model": "ockham/auto", "messages": [turn]}
        return httpx.post(f"{served.url}/v1/chat/completions", json=body, timeout=30)

    public = "https://example.com/a.png"
    assert ask(public).raise_for_status().json()["ockham"]["route"] == ["large"]
    reached = other_fake_model.requests[-1]["messages"][-1]["content"][1]
    assert reached["image_url"]["url"] == public
    assert ask("https://169.254.169.254/latest/meta-data").status_code == 400

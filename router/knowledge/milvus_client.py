"""A connection to Milvus, and its errors in our words. The token is in none of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from router.errors import ConfigError, KnowledgeError

if TYPE_CHECKING:
    from router.settings import MilvusSettings

__all__ = ["connect", "milvus_errors"]

_TIMEOUT_S = 10.0


def connect(settings: "MilvusSettings") -> Any:
    """A client, connected."""
    try:
        from pymilvus import MilvusClient
    except ImportError as error:
        raise ConfigError(
            "the setting `knowledge.milvus` needs the package pymilvus: pip install pymilvus"
        ) from error
    token = settings.token.get_secret_value() if settings.token else ""
    with milvus_errors(settings):
        return MilvusClient(settings.uri, token=token, timeout=_TIMEOUT_S)


@contextmanager
def milvus_errors(settings: "MilvusSettings") -> Iterator[None]:
    """Milvus's and gRPC's errors become KnowledgeErrors that name the setting."""
    import grpc
    from pymilvus import MilvusException

    try:
        yield
    except (MilvusException, grpc.RpcError, OSError) as error:
        words = getattr(error, "message", None) or str(error)
        secret = settings.token.get_secret_value() if settings.token else ""
        told = str(words).replace(secret, "***") if secret else str(words)
        raise KnowledgeError(
            f"the Milvus at {settings.uri} (setting `knowledge.milvus`): {told}"
        ) from None

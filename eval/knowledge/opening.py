"""The index and the encoder that the configuration names, for the commands of this folder."""

from pathlib import Path

from router.knowledge.index import KnowledgeIndex
from router.signals.encoder import Encoder

__all__ = ["configured", "open_index"]


def configured(path: Path | None, config: str | None) -> tuple[Path, Encoder]:
    """Where the index is, and the encoder it is searched with."""
    from router.config import load_settings

    settings = load_settings(config)
    return path or settings.knowledge.folder, Encoder(settings.signals.encoder)


def open_index(path: Path | None, config: str | None) -> KnowledgeIndex:
    """Close it, or use it as a context manager."""
    return KnowledgeIndex.open(*configured(path, config))

"""Ockham: use no bigger model than the question needs, and prove it.

    from router import Router
    answer = Router.from_config().ask("What is 12 * 7?")

Importing this package loads neither torch nor LiteLLM, LangGraph or faiss: they are
imported where they are first used.
"""

from router.config import Settings, load_settings
from router.errors import (
    ConfigError,
    InputError,
    KnowledgeError,
    ModelError,
    NoAnswerError,
    OckhamError,
    SetupError,
)
from router.facade import Router
from router.state import Answer, Event, Query, Signals, Trace, Verdict

__all__ = [
    "Answer",
    "ConfigError",
    "Event",
    "InputError",
    "KnowledgeError",
    "ModelError",
    "NoAnswerError",
    "OckhamError",
    "Query",
    "Router",
    "Settings",
    "SetupError",
    "Signals",
    "Trace",
    "Verdict",
    "load_settings",
]

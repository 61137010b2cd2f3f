"""Logs: one access line a request, and lines as JSON where `telemetry.log_format` says so.

The access line is made of a fixed list of fields, none of which a prompt, an answer or a key can
get into. What other lines may hold by accident (a key in an exception's text) is masked.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from router.masking import masked
from router.telemetry.seen import Seen, policy_of

__all__ = ["JsonFormatter", "access_fields", "log_access", "set_up"]

_ACCESS = logging.getLogger("ockham.access")


class _Formatter(logging.Formatter):
    """Logging's own text, masked."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


class JsonFormatter(logging.Formatter):
    """A line of JSON a record: time, level, logger, message, the fields, the exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; masked."""
        body: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(record.getMessage()),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            body["exception"] = masked(self.formatException(record.exc_info))
        return json.dumps(body, ensure_ascii=False, default=str)


def access_fields(seen: Seen) -> dict[str, Any]:
    """What the access line tells of a request."""
    answer = seen.answer
    fields: dict[str, Any] = {
        "trace_id": seen.id,
        "tenant": seen.principal.tenant,
        "endpoint": seen.endpoint,
        "status": seen.status,
        "ending": seen.ending,
        "error": seen.error,
        "stream": seen.stream,
        "seconds": round(seen.seconds, 4),
        "queued_seconds": round(seen.waited_seconds, 4),
    }
    if seen.trace is not None:
        fields["policy"] = policy_of(seen)
    if answer is not None:
        fields |= {
            "route": list(answer.route),
            "model": answer.model,
            "verdict": answer.verdict.status,
            "cost_usd": round(answer.cost_usd, 9),
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
        }
    return fields


def log_access(seen: Seen) -> None:
    """Write the access line."""
    if not _ACCESS.isEnabledFor(logging.INFO):
        return
    fields = access_fields(seen)
    shown = " ".join(f"{name}={_shown(value)}" for name, value in fields.items())
    _ACCESS.info("%s", shown, extra={"fields": fields})


def _shown(value: Any) -> str:
    return ">".join(value) if isinstance(value, list) else str(value)


def set_up(log_format: str, access: bool) -> None:
    """Let the root logger and uvicorn's write in that form to standard error."""
    formatter = (
        JsonFormatter()
        if log_format == "json"
        else _Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(min(root.level or logging.INFO, logging.INFO))
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    # LiteLLM, httpx and the like tell of every call on the level INFO.
    for name in ("LiteLLM", "LiteLLM Router", "httpx", "httpx2", "openai", "aiohttp", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    _ACCESS.setLevel(logging.INFO if access else logging.CRITICAL)

"""The table of operations: what the gateway speaks, in one place."""

from typing import Any

from router.gateway import answers, explained, health, listing
from router.gateway.chat import chat
from router.gateway.chat_schema import ChatRequest
from router.gateway.embeddings import EmbeddingsRequest, embeddings
from router.gateway.openapi import OVERRIDES, Operation
from router.gateway.responses import responses
from router.gateway.responses_schema import ResponsesRequest

__all__ = ["OPERATIONS"]


def _id(pattern: str, what: str) -> tuple[dict[str, Any], ...]:
    schema = {"type": "string", "minLength": 1, "pattern": pattern}
    return ({"name": "id", "in": "path", "required": True, "description": what, "schema": schema},)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST", "/v1/chat/completions", chat, "OpenAI's chat completions, routed.",
        answers.Chat, ChatRequest, "chat", metered=True, streams=True, errors=(404, 503),
        parameters=OVERRIDES,
    ),
    Operation(
        "POST", "/v1/responses", responses, "OpenAI's responses, routed; nothing is stored.",
        answers.ResponseBody, ResponsesRequest, "responses", metered=True, streams=True,
        errors=(404, 503), parameters=OVERRIDES,
    ),
    Operation(
        "POST", "/v1/embeddings", embeddings, "OpenAI's embeddings, by a configured model.",
        answers.Embeddings, EmbeddingsRequest, "embeddings", metered=True, errors=(404, 503),
    ),
    Operation(
        "GET", "/v1/models", listing.list_models, "Everything that `model` may be.",
        answers.ModelList, name="models",
    ),
    Operation(
        "GET", "/v1/models/{id:path}", listing.one_model, "One of them.",
        answers.ModelEntry, name="models", errors=(404,),
        parameters=_id(r"^[^?#\s]+$", "As listed."),
    ),
    Operation(
        "POST", "/ockham/route", explained.dry_run, "A dry run of a chat completion: its decision.",
        answers.RouteAnswer, explained.RouteRequest, "route", errors=(404, 503),
        parameters=OVERRIDES,
    ),
    Operation(
        "GET", "/ockham/traces/{id}", explained.trace, "The whole story of a request.",
        answers.Free, name="traces", errors=(404,), parameters=_id(r"^[0-9a-f]{1,64}$", "Its id."),
    ),
    Operation(
        "POST", "/ockham/feedback", explained.feedback, "Say whether an answer was right.",
        answers.Feedback, explained.FeedbackRequest, "feedback", errors=(404,),
    ),
    Operation(
        "GET", "/ockham/status", explained.status, "Usage, labels, bounds, alarms.",
        answers.Free, name="status",
    ),
    Operation(
        "POST", "/ockham/reload", explained.reload, "Read the configuration anew (admin key).",
        answers.Reloaded, name="reload", errors=(403,),
    ),
    Operation(
        "GET", "/health", health.health, "The process lives.",
        answers.Health, name="health", secured=False,
    ),
    Operation(
        "GET", "/ready", health.ready, "Requests can be answered.",
        answers.Ready, name="ready", secured=False, also={503: answers.Ready},
    ),
)  # fmt: skip

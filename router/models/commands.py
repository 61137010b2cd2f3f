"""`ockham models`: start the right server here, and see what a model can do."""

import asyncio
import json
import shlex
import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from router.commands import ConfigOption, JsonOption
from router.config import Settings, load_settings
from router.errors import InputError
from router.models.check import Report, check_model
from router.models.launcher import ModelServer, free_port
from router.models.loading import close_clients, load_litellm
from router.models.machine import look
from router.models.plan import Plan, make_plan
from router.models.serving import serve_forever, server_for
from router.settings import ModelSettings

__all__ = ["app"]

app = typer.Typer(help="The models: start a server here, or see what one can do.")

NameArgument = Annotated[str, typer.Argument(help="The configuration's name of the model.")]


@app.command("serve")
def serve(
    name: NameArgument = "small",
    dry_run: Annotated[bool, typer.Option(help="Print command and reason; start nothing.")] = False,
    as_json: JsonOption = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    config: ConfigOption = None,
) -> None:
    """Look at this machine, start the right server for it, and keep it until Ctrl-C.

    CUDA: vLLM. A VibeThinker-3B GGUF file: llama.cpp. Else the embedded SmolLM2.
    """
    _servable(load_settings(config), name)
    # As `auto`: what suits the embedded model alone (its context) must not bound another.
    settings = _model(load_settings(config, models={name: {"serve": "auto"}}), name)
    port = port or free_port()
    plan = make_plan(look(settings), name, settings, port)
    if dry_run:
        _say(_plan_json(plan, port) if as_json else _plan_text(plan))
        return
    sys.stderr.write("".join(f"{reason}\n" for reason in plan.reasons))
    key = settings.api_key.get_secret_value() if settings.api_key else None
    server = server_for(plan, name, settings, port=port, api_key=key)
    sys.stderr.write(f"starting {plan.kind} with {plan.model}; its words go to {server.log}\n")
    load_litellm()
    asyncio.run(serve_forever(server, lambda: _announce(server, plan, as_json)))
    sys.stderr.write("ended\n")


@app.command("check")
def check(
    name: NameArgument = "small",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Make real completions with a configured model, and say what it can do and how fast."""
    settings = load_settings(config)
    _model(settings, name)
    report = asyncio.run(_checked(settings, name))
    _say(json.dumps(asdict(report)) if as_json else _report_text(report))


async def _checked(settings: Settings, name: str) -> Report:
    try:
        return await check_model(settings, name)
    finally:
        await close_clients()


def _model(settings: Settings, name: str) -> ModelSettings:
    try:
        return settings.models[name]
    except KeyError:
        raise InputError(f"no model {name!r} (models: {', '.join(settings.models)})") from None


def _servable(settings: Settings, name: str) -> None:
    if _model(settings, name).tier != "small":
        raise InputError(f"models.{name} is large: what can be served here is a small model")


def _plan_text(plan: Plan) -> str:
    lines = [f"{plan.kind}: {plan.model}, context {plan.context_tokens:,}, "
             f"{plan.parallel} requests at once"]  # fmt: skip
    lines += [f"- {reason}" for reason in plan.reasons]
    lines += [f"- first: {plan.missing}"] if plan.missing else []
    lines += [f"- first: fetch {plan.fetch[1]} from {plan.fetch[0]}"] if plan.fetch else []
    words = [f"{key}={shlex.quote(value)}" for key, value in plan.env.items()]
    return "\n".join([*lines, " ".join([*words, shlex.join(plan.command)])])


def _plan_json(plan: Plan, port: int) -> str:
    body: dict[str, Any] = {**asdict(plan), "port": port}
    body["weights"] = str(plan.weights) if plan.weights else None
    return json.dumps(body)


def _announce(server: ModelServer, plan: Plan, as_json: bool) -> None:
    """Ready: where it is, and the two variables that point Ockham at it."""
    if as_json:
        body = {
            "api_base": server.api_base, "api_key": server.api_key, "model": server.alias,
            "kind": plan.kind, "context_tokens": plan.context_tokens, "pid": server.pid,
        }  # fmt: skip
        _say(json.dumps(body))
        return
    prefix = f"OCKHAM_MODELS__{server.name.upper()}"
    _say(
        f"ready: {server.alias} at {server.api_base}; Ctrl-C ends it. Point Ockham at it with\n"
        f"export {prefix}__API_BASE={server.api_base} {prefix}__API_KEY={server.api_key}"
    )


def _report_text(report: Report) -> str:
    width = max(len(fact.name) for fact in report.facts)
    lines = [f"{report.name}: {report.model}" + (f" at {report.api_base}" * bool(report.api_base))]
    lines += [
        f"{fact.name:<{width}}  {fact.state:<13}  {fact.said}".rstrip() for fact in report.facts
    ]
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

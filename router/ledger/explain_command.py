"""`ockham explain ID`: the whole story of one request."""

import json
import sys
from typing import Annotated

import typer

from router.commands import ConfigOption, JsonOption
from router.errors import InputError
from router.ledger.opening import open_ledger

__all__ = ["explain"]


def explain(
    ident: Annotated[str, typer.Argument(metavar="ID", help="X-Ockham-Trace-Id of the answer.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Why a request was routed so, what each arm would have cost, what it cost, what came of it."""
    from router.ledger.reads import trace
    from router.ledger.story import story

    with open_ledger(config) as opened:
        told = opened.read(lambda c: trace(c, ident, None))
        where = opened.database.name
    if told is None:
        raise InputError(f"no request {ident!r} in {where}")
    sys.stdout.write((json.dumps(told) if as_json else story(told)) + "\n")

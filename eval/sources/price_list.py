"""The committed price list: what each model costs, who says so, how tokens are estimated.

`prices.yaml` is read and checked here; `prices.py` puts costs on a set of outcomes with it.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from router.errors import InputError, SetupError

__all__ = ["PRICES", "Price", "PriceList", "TokenModel", "price_list"]

PRICES = Path(__file__).with_name("prices.yaml")
_BLEND = 3.0  # input tokens a token of output, for ranking prices by one number


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Price(_Plain):
    """USD per million tokens, and which kind of source says so."""

    model: str
    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    kind: Literal["listed", "recalled", "tier"]

    @property
    def blended(self) -> float:
        """One number to rank by: three input tokens for one of output."""
        return (_BLEND * self.input + self.output) / (_BLEND + 1)


class TokenModel(_Plain):
    """How tokens are estimated; the means are by the table's domain, `other` the fallback."""

    chars_per_token: float = Field(gt=0)
    prompt: Mapping[str, float]
    completion: Mapping[str, float]


class PriceList(_Plain):
    """All prices, what is said of their sources, and the token model used with them."""

    name: str
    date: str
    token_model: str
    tokens: TokenModel
    prices: Mapping[str, Price]
    sources: Mapping[str, Mapping[str, str]]

    def of(self, model: str) -> Price:
        """A model's price; `InputError` names the file to extend."""
        if model not in self.prices:
            raise InputError(
                f"no price for model {model!r}: add a line to {PRICES.name} (beside "
                "eval/sources/prices.py), or give cost_usd in the table"
            )
        return self.prices[model]

    def snapshot(self, kind: str) -> str:
        """What `price_snapshot` says of a row that was priced here."""
        return f"{self.name} {self.date}: {kind}, tokens {self.token_model}"


@cache
def price_list(path: Path = PRICES) -> PriceList:
    """The committed list (or another file of its form); `SetupError` where it is damaged."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        tiers = {k: (t["input"], t["output"]) for k, t in raw["tiers"].items()}
        rows = [(m, p["input"], p["output"], "listed") for m, p in raw["listed"].items()]
        rows += [(m, p["input"], p["output"], "recalled") for m, p in raw["recalled"].items()]
        rows += [(m, *tiers[t], "tier") for m, t in raw["tier"].items()]
        keys = ("model", "input", "output", "kind")
        prices = [Price.model_validate(dict(zip(keys, r, strict=True))) for r in rows]
        if len({p.model for p in prices}) != len(prices):
            raise ValueError("a model is priced twice")
        chosen = raw["default_token_model"]
        return PriceList(
            name=raw["name"],
            date=str(raw["date"]),
            token_model=chosen,
            tokens=TokenModel.model_validate(raw["token_models"][chosen]),
            prices={p.model: p for p in prices},
            sources=raw["sources"],
        )
    except (OSError, ValueError, KeyError, TypeError, ValidationError, yaml.YAMLError) as error:
        raise SetupError(f"{path}: the price list cannot be read ({error!r})") from None

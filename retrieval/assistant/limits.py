"""How much may one answer cost, in steps, tokens, time and money, and what did it cost?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ...core.settings import Settings

if TYPE_CHECKING:
    from pydantic_ai.usage import RunUsage, UsageLimits


class Limits(Settings):
    """What one question may use; whichever is reached first ends it, with what was retrieved so far.

    Attributes:
        steps: Answers of the model, those of assistants and corrections included.
        tool_calls: Searches and delegations.
        tokens: Read and written together.
        seconds: Wall time of the whole answer.
        dollars: US dollars, where the model's price is known.
    """

    steps: int = Field(default=24, ge=1, le=1000)
    tool_calls: int = Field(default=40, ge=1, le=1000)
    tokens: int = Field(default=200_000, ge=1)
    seconds: float = Field(default=180.0, gt=0, le=3600)
    dollars: float = Field(default=0.50, gt=0)

    def as_usage_limits(self, priced: bool) -> UsageLimits:
        """In the agents' terms.

        Args:
            priced: Whether the model's price is known; money cannot be limited otherwise.
        """
        from decimal import Decimal

        from pydantic_ai.usage import UsageLimits

        return UsageLimits(
            request_limit=self.steps,
            tool_calls_limit=self.tool_calls,
            total_tokens_limit=self.tokens,
            cost_limit=Decimal(str(self.dollars)) if priced else None,
        )


@dataclass(frozen=True)
class Usage:
    """What one answer used.

    Attributes:
        requests: To the model.
        tool_calls: Searches and delegations.
        tokens: Read and written together, as the model's host counts them.
        seconds: Wall time.
        dollars: US dollars; `None` if the price is not known.
    """

    requests: int = 0
    tool_calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    dollars: float | None = None

    @classmethod
    def of(cls, run: RunUsage, seconds: float) -> Usage:
        """From the agents' own count."""
        cost = getattr(run, "cost", None)
        dollars = float(cost) if cost is not None else None
        return cls(run.requests, run.tool_calls, run.total_tokens, seconds, dollars)

    def sentence(self) -> str:
        """`Used 3 requests, 2 tool calls, 1234 tokens, 2.1 s, cost unknown.`"""
        cost = "cost unknown" if self.dollars is None else f"{self.dollars:.4f} US dollars"
        counts = f"{_several(self.requests, 'request')}, {_several(self.tool_calls, 'tool call')}"
        return f"Used {counts}, {_several(self.tokens, 'token')}, {self.seconds:.1f} s, {cost}."


def price_is_known(model_name: str, provider: str) -> bool:
    """Whether the price table that comes with the agents lists a model.

    Args:
        model_name: As the endpoint calls it.
        provider: `openai` or `anthropic`; others have no price.
    """
    if provider not in ("openai", "anthropic"):
        return False
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    try:
        price: Any = calc_price(
            Tokens(input_tokens=1000, output_tokens=1000), model_name, provider_id=provider
        )
    except (LookupError, ValueError):
        return False
    return price.total_price is not None


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

"""What calls cost, from tokens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Price:
    """Money per million tokens that go in and come out."""

    per_million_in: float = 0.0
    per_million_out: float = 0.0
    currency: str = "USD"

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """The price of that many tokens.

        >>> Price(per_million_in=2.5, per_million_out=10).cost(1_000_000, 100_000)
        3.5
        """
        return (tokens_in * self.per_million_in + tokens_out * self.per_million_out) / 1_000_000

"""A row of the table of problems."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """A row of the table. A code that ends in ``.*`` stands for all that begin like it."""

    codes: str
    title: str
    cause: str
    example: str
    fix: str

    @property
    def words(self) -> list[str]:
        """The codes without the star of a family."""
        return [code.removesuffix(".*") for code in self.codes.split()]

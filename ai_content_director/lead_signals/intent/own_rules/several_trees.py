"""Several trees of patterns, walked as if they were one: what tenants share is built and remembered once."""

from collections.abc import Sequence
from dataclasses import dataclass

from lead_signals.intent.folding.text_folding import Token
from lead_signals.intent.pack.rule_pack import Tree
from lead_signals.intent.patterns.pattern_walk import Found


@dataclass(frozen=True, slots=True)
class SeveralTrees:
    """Their owners must be numbered together: what they find comes as one list, tree after tree."""

    trees: tuple[Tree, ...]

    def walk(self, tokens: Sequence[Token], opening: int, closing: int) -> list[Found]:
        """As `PatternTree.walk`."""
        return [found for tree in self.trees for found in tree.walk(tokens, opening, closing)]

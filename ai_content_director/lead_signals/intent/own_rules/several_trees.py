"""A tenant's patterns beside the packaged ones, walked as if they were one tree: what tenants share is built and remembered once."""

from collections.abc import Sequence
from dataclasses import dataclass

from lead_signals.intent.folding.text_folding import Token
from lead_signals.intent.pack.rule_pack import Tree
from lead_signals.intent.patterns.pattern_walk import Found, PatternTree, RunsAway


@dataclass(slots=True, eq=False)
class SeveralTrees:
    """Their owners must be numbered together: what they find comes as one list, the shared tree's first.

    A text on which the own tree runs away is read by the shared one alone, and counted.
    """

    shared: Tree
    own: PatternTree
    ran_away: int = 0
    _is_told: bool = False

    def walk(self, tokens: Sequence[Token], opening: int, closing: int) -> list[Found]:
        """As `PatternTree.walk`, and raises nothing."""
        found = self.shared.walk(tokens, opening, closing)
        try:
            return found + self.own.walk(tokens, opening, closing)
        except RunsAway:
            self.ran_away += 1
            return found

    def tells_that_it_ran_away(self) -> bool:
        """True the first time it is asked after a text on which it did: so that it is told once and not for each text."""
        if self._is_told or not self.ran_away:
            return False
        self._is_told = True
        return True

"""What a token is to the patterns: its sign.

All a pattern asks of a token is to which of its choices it belongs, and whether a comma or a stop stands before it. Words that
belong to the same choices share a sign, and so do all words that no pattern knows.
"""

from collections.abc import Iterable, Mapping, Sequence

from lead_signals.intent.folding.text_folding import QUESTION, WORD, Token
from lead_signals.intent.patterns.pattern import KINDS, NAME

Choices = Mapping[int, int]
"""Number of a choice -> 1 where the word belongs to it by a guess about missing diacritics, else 0."""

Sign = tuple[int, int, int]
"""Its number; its choices, a bit for each, so that whether a state waits for one of them is one step; what stands before."""
_Signs = tuple[Sign, ...]
"""One for each boundary that may stand before a token."""

NO_BOUNDARY, CLAUSE_BEGINS, SENTENCE_BEGINS = BOUNDARIES = range(3)
# A large pack has more choices than bits, and then some share one: a token gets a look that it did not need, never a wrong answer.
# The packaged 1,400 choices leave five steps in a hundred behind for nothing.
_BITS = 1_024
_NO_CHOICES: Choices = {}


class WordSigns:
    """Made once, from the finished lexicon: word or #kind -> its choices."""

    def __init__(self, lexicon: Mapping[str, Choices]) -> None:
        making = _Making()
        # The first signs made: each has the number of what stands before it.
        self._of_unknown = making.signs(_NO_CHOICES)
        self._of_words = {word: making.signs(choices) for word, choices in lexicon.items()}
        # No token of another kind consists of letters alone, so of two thousand words a handful is left: "24", ":))".
        odd = {word: choices for word, choices in lexicon.items() if not word.isalpha()}
        self._of_kinds: dict[str, tuple[_Signs, dict[str, _Signs]]] = {}
        for kind in (*KINDS, QUESTION):
            meant = lexicon.get("#" + kind, _NO_CHOICES)
            known = lexicon if kind == NAME else odd
            self._of_kinds[kind] = making.signs(meant), {word: making.signs({**choices, **meant}) for word, choices in known.items()}
        self._choices = making.choices

    def read(self, tokens: Sequence[Token]) -> list[Sign]:
        """The sign of each token."""
        of_words, of_unknown, of_kinds = self._of_words, self._of_unknown, self._of_kinds
        signs: list[Sign] = []
        last_sentence = last_clause = 0
        for folded, _, _, _, _, kind, sentence, clause, capitalised in tokens:
            if kind == WORD and not capitalised:
                of_token = of_words.get(folded, of_unknown)
            else:
                of_others, known = of_kinds[NAME if capitalised else kind]
                of_token = known.get(folded, of_others)
            if clause == last_clause:
                signs.append(of_token[NO_BOUNDARY])
            else:
                signs.append(of_token[CLAUSE_BEGINS if sentence == last_sentence else SENTENCE_BEGINS])
                last_sentence, last_clause = sentence, clause
        return signs

    def choices(self, sign: int) -> tuple[Choices, int]:
        """What a token belongs to whose sign has this number, and the bits of it."""
        return self._choices[sign // len(BOUNDARIES)]


class _Making:
    """Signs and the choices they stand for, while there are more to come."""

    def __init__(self) -> None:
        self.choices: list[tuple[Choices, int]] = []
        self._made: dict[frozenset[tuple[int, int]], _Signs] = {}

    def signs(self, choices: Choices) -> _Signs:
        key = frozenset(choices.items())
        if key not in self._made:
            bits = choice_bits(choices)
            number = len(self.choices) * len(BOUNDARIES)
            self.choices.append((choices, bits))
            self._made[key] = tuple((number + before, bits, before) for before in BOUNDARIES)
        return self._made[key]


def choice_bits(choices: Iterable[int]) -> int:
    """A bit for each of these choices."""
    bits = 0
    for number in choices:
        bits |= 1 << number % _BITS
    return bits


def boundary_before(sign: int) -> int:
    """What stands before a token whose sign has this number."""
    return sign % len(BOUNDARIES)

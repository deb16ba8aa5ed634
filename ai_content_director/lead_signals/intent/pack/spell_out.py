"""Spells the wordings of a pack out to paths, with a bound on what all of them together become."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from lead_signals.intent.pack.pack_mistakes import PackMistakes
from lead_signals.intent.pack.written_rules import WrittenText
from lead_signals.intent.patterns.pattern import AnyOf, PatternError, Wording, WordSets, read_pattern

MOST_PATHS_OF_A_PACK = 100_000
MOST_PATHS_OF_A_TENANT = 20_000
MOST_WORDS = 400_000
"""Of the steps of all wordings together, a word for each alternative: they cost time to read, and memory where they differ."""


@dataclass(slots=True)
class SpellingOut:
    """What has been spelled out so far. `known` are the abbreviations, which no text ever holds once it is folded."""

    mistakes: PackMistakes
    known: Collection[str]
    most_paths: int = MOST_PATHS_OF_A_PACK
    _paths: int = 0
    _words: int = 0
    _steps: set[AnyOf] = field(default_factory=set)
    _full: bool = False

    def paths(self, written: WrittenText, of: str, word_sets: WordSets) -> tuple[Wording, ...]:
        """All paths of one wording; none, and a mistake that begins with `of`, when it cannot be used."""
        if self._full:
            return ()
        try:
            paths = read_pattern(written.text, word_sets)
        except PatternError as error:
            self.mistakes.add(written.place, f"{of}: {error}")
            return ()
        self._count(paths)
        if self._paths > self.most_paths or self._words > MOST_WORDS:
            self._full = True
            most = f"{self.most_paths} paths or {MOST_WORDS} words"
            reason = f"with this wording all together spell out to more than {most}; use fewer alternatives"
            self.mistakes.add(written.place, f"{of}: {reason}")
            return ()
        self._refuse_abbreviations(paths, written, of)
        return paths

    def _count(self, paths: Sequence[Wording]) -> None:
        self._paths += len(paths)
        self._words += sum(len(step.choices) for step in paths[0].steps if isinstance(step, AnyOf))
        for path in paths:
            for step in path.steps:
                if isinstance(step, AnyOf) and step not in self._steps:
                    self._steps.add(step)
                    self._words += len(step.choices)

    def _refuse_abbreviations(self, paths: Sequence[Wording], written: WrittenText, of: str) -> None:
        steps = {step for path in paths for step in path.steps if isinstance(step, AnyOf)}
        short = sorted({key for step in steps for key in step.choices if key in self.known})
        if short:
            self.mistakes.add(
                written.place, f"{of}: {written.text!r} holds {', '.join(short[:5])}, which is read in full; write it in full"
            )


def plain_word_sets(word_sets: Mapping[str, Sequence[WrittenText]]) -> WordSets:
    """The words without their places, as patterns are read with."""
    return {name: tuple(word.text for word in words) for name, words in word_sets.items()}

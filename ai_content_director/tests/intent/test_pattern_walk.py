"""The tree finds what each pattern alone would find, read to the letter; whatever it remembers, and whoever else is walking."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lead_signals.intent.folding.text_folding import WORD, Token, fold_text
from lead_signals.intent.patterns import pattern_states, word_signs
from lead_signals.intent.patterns.pattern import AnyOf, PatternError, Wording, bare_key, read_pattern
from lead_signals.intent.patterns.pattern_walk import PatternTree

# Few words, so that patterns and texts meet: a tree of many words is mostly met by accident.
STEPS = ["giá", "gia", "này", "{giá|này}", "{giá này|24}", "[này]", "#number", "#name", "?", ":))", "~1", "~2", "~1 [này] ~2", "~2 ~1"]
SAID = ["giá", "gia", "già", "này", "24", "2", "Lan", "Gia", ":))", "😍", "xyz", ",", ".", "?"]

Match = tuple[int, int, int, int, int]
"""Owner, first token, the one after the last, tokens that are words as bits, guesses."""

written_patterns = st.builds(
    lambda begin, steps, end: begin + " ".join(steps) + end,
    st.sampled_from(["", "", "", "^"]),
    st.lists(st.sampled_from(STEPS), min_size=1, max_size=5),
    st.sampled_from(["", "", "$"]),
)
texts = st.lists(st.one_of(st.sampled_from(SAID[:4]), st.sampled_from(SAID)), max_size=12).map(" ".join)


def wordings(written: Sequence[str]) -> list[tuple[int, Wording]]:
    read: list[tuple[int, Wording]] = []
    for number, pattern in enumerate(written):
        try:
            read += [(number % 3, wording) for wording in read_pattern(pattern, {})]
        except PatternError:
            continue
    return read


def walked(tree: PatternTree, text: str, opening: int, cut: int) -> list[Match]:
    tokens = fold_text(text)
    found = tree.walk(tokens, opening, len(tokens) - cut)
    return [(one.owner, one.first, one.after, one.fit.fixed, one.fit.guessed) for one in found]


def to_the_letter(patterns: Sequence[tuple[int, Wording]], tokens: Sequence[Token], opening: int, closing: int) -> Iterator[Match]:
    for owner, wording in patterns:
        for first in range(len(tokens)):
            if wording.from_start and first > opening:
                continue
            for after, fixed, guessed in _ways(wording, 0, tokens, (first, first, False, 0, 0)):
                if not wording.to_end or after >= closing:
                    yield owner, first, after, fixed, guessed


def _ways(wording: Wording, step: int, tokens: Sequence[Token], at: tuple[int, int, bool, int, int]) -> Iterator[tuple[int, int, int]]:
    first, here, skipped, fixed, guessed = at
    if step == len(wording.steps):
        yield here, fixed, guessed
        return
    wanted = wording.steps[step]
    if isinstance(wanted, AnyOf):
        guess = _guess(wanted, tokens[here]) if here < len(tokens) else None
        if guess is None or tokens[here].sentence != tokens[first].sentence:
            return
        if skipped and tokens[here].clause != tokens[here - 1].clause:
            return
        yield from _ways(wording, step + 1, tokens, (first, here + 1, False, fixed | 1 << (here - first), guessed + guess))
        return
    for length in range(wanted.longest + 1):
        after = here + length
        if after > len(tokens) or any(token.clause != tokens[here - 1].clause for token in tokens[here:after]):
            return
        yield from _ways(wording, step + 1, tokens, (first, after, skipped or length > 0, fixed, guessed))


def _guess(wanted: AnyOf, token: Token) -> int | None:
    """0 for the word or the kind itself, 1 for the word without its diacritics, None for another one."""
    kind = "name" if token.capitalised else token.kind
    if token.folded in wanted.choices or (kind != WORD and "#" + kind in wanted.choices):
        return 0
    return 1 if token.folded in {bare_key(key) for key in wanted.choices} else None


@given(st.lists(written_patterns, min_size=1, max_size=12), texts, st.integers(0, 2), st.integers(0, 2))
@settings(max_examples=600, deadline=None)
def test_the_tree_finds_what_each_pattern_alone_would_find(written: list[str], text: str, opening: int, cut: int) -> None:
    patterns = wordings(written)
    tokens = fold_text(text)
    found = walked(PatternTree(patterns), text, opening, cut)
    assert set(found) == set(to_the_letter(patterns, tokens, opening, len(tokens) - cut))
    assert len(found) == len(set(found))
    assert [one[1] for one in found] == sorted(one[1] for one in found)


ENTANGLED = [
    "giá",
    "giá này",
    "giá ~2 này",
    "giá$",
    "giá ~1 [này] ~2 giá",
    "giá ~1 ~2 này",
    "^giá ~2$",
    "{giá|này} ~1 {này|giá này}",
    "^[giá] này$",
]


@pytest.mark.parametrize("cut", [0, 1])
def test_every_short_text_is_read_to_the_letter(cut: int) -> None:
    patterns = wordings(ENTANGLED)
    tree = PatternTree(patterns)
    for length in range(6):
        for words in product(["giá", "gia", "này", "xyz", ","], repeat=length):
            tokens = fold_text(" ".join(words))
            expected = set(to_the_letter(patterns, tokens, 0, len(tokens) - cut))
            assert set(walked(tree, " ".join(words), 0, cut)) == expected, words


PATTERNS = wordings(["^giá ~2 này", "giá ~3 :))", "{giá|này} [này] ?", "#name ~1 này", "này ~2 24 ~1 này", "^này$", "giá này Lan"])
SENTENCES = [" ".join(SAID[(start + step * stride) % len(SAID)] for step in range(12)) for start in range(14) for stride in (1, 3, 5)]


def test_what_was_remembered_changes_nothing() -> None:
    remembering = PatternTree(PATTERNS)
    for sentence in [*SENTENCES, *SENTENCES]:
        assert walked(remembering, sentence, 0, 0) == walked(PatternTree(PATTERNS), sentence, 0, 0)
    assert any(walked(remembering, sentence, 0, 0) for sentence in SENTENCES)


def test_a_full_memory_forgets_and_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [walked(PatternTree(PATTERNS), sentence, 0, 0) for sentence in SENTENCES]
    monkeypatch.setattr(pattern_states, "MOST_REMEMBERED", 7)
    forgetful = PatternTree(PATTERNS)
    for sentence, found in zip(SENTENCES, expected, strict=True):
        assert walked(forgetful, sentence, 0, 0) == found
        assert remembered_steps(forgetful) <= 7


def remembered_steps(tree: PatternTree) -> int:
    """Steps that can still be reached, counted from the beginnings."""
    waiting: list[pattern_states.State] = [tree._anywhere, tree._before_opening]
    met: dict[int, pattern_states.State] = {}
    while waiting:
        state = waiting.pop()
        if id(state) not in met:
            met[id(state)] = state
            waiting += [after for after in state.values() if after is not None]
    return sum(len(state) for state in met.values())


def test_threads_may_share_a_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [walked(PatternTree(PATTERNS), sentence, 0, 0) for sentence in SENTENCES]
    monkeypatch.setattr(pattern_states, "MOST_REMEMBERED", 20)
    shared = PatternTree(PATTERNS)
    with ThreadPoolExecutor(8) as threads:
        rounds = [threads.submit(lambda: [walked(shared, sentence, 0, 0) for sentence in SENTENCES]) for _ in range(40)]
    assert all(each.result() == expected for each in rounds)


def test_more_choices_than_bits_are_still_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_signs, "_BITS", 4)
    words = [first + last for first in "bcdfgh" for last in "aeiou"]
    tree = PatternTree((number, wording) for number, pair in enumerate(pairwise(words)) for wording in read_pattern(" ".join(pair), {}))
    for number, (one, other) in enumerate(pairwise(words)):
        assert [found[0] for found in walked(tree, f"{one} {other}", 0, 0)] == [number]
        assert walked(tree, f"{other} {one}", 0, 0) == []


@pytest.mark.parametrize("unit", ["giá ", "giá này ", "này xyz ", "Lan "])
def test_a_word_said_a_thousand_times_leaves_few_steps_behind(unit: str) -> None:
    tree = PatternTree(PATTERNS)
    walked(tree, unit * 1_000, 0, 0)
    assert remembered_steps(tree) < 60

"""From tokens to evidence: which rules speak, once idioms, exceptions and negation have had their say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lead_signals.intent.evidence.placed import Placed, Thing
from lead_signals.intent.folding.text_folding import EMOJI, WORD, Token
from lead_signals.intent.pack.rule import Rule
from lead_signals.intent.pack.rule_pack import PatternOwner, Role, RulePack
from lead_signals.intent.patterns.pattern_states import Fit
from lead_signals.intent.patterns.pattern_walk import Found
from lead_signals.intent.verdict import Evidence

# A judgement, to be replaced by calibration: one word without its diacritics says nothing ("gia" is a house, a price, old), a
# phrase of them is mostly right. Neither may reach the draft lane alone: 0.97 * 0.72 < 0.70.
GUESSED_WORD_FACTOR = 0.45
GUESSED_PHRASE_FACTOR = 0.72
# Who types diacritics elsewhere in the text means the bare word: "em" is you, not the soft êm. In nineteen of twenty
# comments of five words or more, at least a third of the words carry one; people do it or they do not.
TYPES_DIACRITICS_SHARE = 0.25
# "không cần em báo giá": how many words may stand between a negator and what it negates.
NEGATION_REACH = 2

Span = tuple[int, int]
Negation = tuple[int, int, int]
"""First token, the one after the last, how many words it reaches beyond."""

# Naming a member of an enum takes ten times as long as naming a constant, and each match is asked: eight in a comment and more.
_RULE, _UNLIKE, _UNLESS, _ONLY_WITH, _IDIOM = Role.RULE, Role.UNLIKE, Role.UNLESS, Role.ONLY_WITH, Role.IDIOM
_NEGATOR, _DIRECT_NEGATOR, _NO_NEGATOR = Role.NEGATOR, Role.DIRECT_NEGATOR, Role.NO_NEGATOR


def find_evidence(text: str, tokens: Sequence[Token], rule_pack: RulePack) -> tuple[Evidence, ...]:
    """The best match of every rule that speaks, in the order of the text. `tokens` must be those of `text`."""
    found = rule_pack.tree.walk(tokens, *_edges(tokens, rule_pack.particles))
    if not found:
        return ()
    spoken = _sort_out(found, rule_pack.owners, None)
    if spoken.idioms and spoken.by_rule:  # three comments in a hundred
        spoken = _sort_out(found, rule_pack.owners, Placed([(*span, span) for span in spoken.idioms]))
    if not spoken.by_rule:
        return ()
    negations = _placed([(first, after + reach + 1, (first, after, reach)) for first, after, reach in spoken.negations])
    typing = _Typing(tokens)
    evidence: list[Evidence] = []
    for number, candidates in spoken.by_rule.items():
        rule = rule_pack.rules[number]
        if number in spoken.silenced or (rule.only_with and number not in spoken.accompanied):
            continue
        if rule.at_most_words is not None and typing.length > rule.at_most_words:
            continue
        unlike = _placed([(*span, span) for span in spoken.unlike.get(number, ())])
        best = _best_match(rule, candidates, unlike, negations, tokens)
        if best is not None:
            evidence.append(_evidence(text, tokens, rule, best, typing))
    if len(evidence) > 1:
        evidence.sort(key=lambda one: (one.start, one.end, one.rule))
    return tuple(evidence)


def _edges(tokens: Sequence[Token], particles: frozenset[str]) -> Span:
    """Where the text begins and ends to say something, leaving greetings, particles and emoji aside."""
    opening, closing = 0, len(tokens)
    while opening < closing and _says_nothing(tokens[opening], particles):
        opening += 1
    while closing > opening and _says_nothing(tokens[closing - 1], particles):
        closing -= 1
    return opening, closing


def _says_nothing(token: Token, particles: frozenset[str]) -> bool:
    return (token.kind == WORD and token.folded in particles) or token.kind == EMOJI


@dataclass(slots=True)
class _Spoken:
    """What was found, by what it means."""

    by_rule: dict[int, list[Found]] = field(default_factory=dict)
    unlike: dict[int, list[Span]] = field(default_factory=dict)
    silenced: set[int] = field(default_factory=set)
    accompanied: set[int] = field(default_factory=set)
    negations: list[Negation] = field(default_factory=list)
    idioms: list[Span] = field(default_factory=list)


def _sort_out(found: Sequence[Found], owners: Sequence[PatternOwner], idioms: Placed[Span] | None) -> _Spoken:
    spoken = _Spoken()
    no_negators: list[Found] = []
    for one in found:
        fit = one.fit
        owner = owners[fit.owner]
        role, number = owner.role, owner.rule_number
        if role is _UNLESS or role is _ONLY_WITH:
            if (fit.guessed == 0 or fit.words > 1) and not (idioms and _misread(one, idioms)):
                (spoken.silenced if role is _UNLESS else spoken.accompanied).add(number)
        elif role is _RULE:
            if not (idioms and _misread(one, idioms)):
                spoken.by_rule.setdefault(number, []).append(one)
        elif role is _UNLIKE:
            spoken.unlike.setdefault(number, []).append((one.first, one.after))
        elif role is _NO_NEGATOR:
            no_negators.append(one)
        elif role is _IDIOM:
            spoken.idioms.append((one.first, one.after))
        else:
            spoken.negations.append((one.first, one.after, NEGATION_REACH if role is _NEGATOR else 0))
    if no_negators:
        spoken.negations = _really_negating(spoken.negations, no_negators)
    return spoken


def _placed(things: Sequence[tuple[int, int, Thing]]) -> Placed[Thing] | None:
    """Most texts hold none of them, and then nobody asks for their places."""
    return Placed(things) if things else None


def _misread(one: Found, idioms: Placed[Span]) -> bool:
    """Part of a phrase that means something else; a pattern that spells the whole phrase out knows what it says."""
    return any(one.touches(*idiom) and not one.holds(*idiom) for idiom in idioms.near(one.first, one.after))


def _really_negating(negations: Sequence[Negation], no_negators: Sequence[Found]) -> list[Negation]:
    placed = Placed([(one.first, one.after, one) for one in no_negators])
    return [
        (first, after, reach)
        for first, after, reach in negations
        if not any(one.touches(first, after) for one in placed.near(first, after))
    ]


class _Typing:
    """How the text is typed; most texts are never asked."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens

    @cached_property
    def length(self) -> int:
        """In words and numbers."""
        return sum(token.kind != EMOJI for token in self._tokens)

    @cached_property
    def phrase_factor(self) -> float:
        """What a phrase typed without its diacritics is worth."""
        words = sum(token.kind == WORD for token in self._tokens)
        typed = sum(token.typed_diacritics for token in self._tokens)
        return GUESSED_WORD_FACTOR if typed >= TYPES_DIACRITICS_SHARE * words else GUESSED_PHRASE_FACTOR


def _best_match(
    rule: Rule, candidates: Sequence[Found], unlike: Placed[Span] | None, negations: Placed[Negation] | None, tokens: Sequence[Token]
) -> Found | None:
    best: Found | None = None
    for one in candidates:
        if unlike and any(one.touches(*span) for span in unlike.near(one.first, one.after)):
            continue
        if negations and rule.negatable and _is_negated(one, negations, tokens):
            continue
        if best is None or _merit(one) > _merit(best):
            best = one
    return best


def _merit(one: Found) -> tuple[int, int, int, int]:
    """Fewest guesses, then most words; of equals the one that stands first, then the shorter one."""
    return -one.fit.guessed, one.fit.words, -one.first, -one.fit.length


def _is_negated(one: Found, negations: Placed[Negation], tokens: Sequence[Token]) -> bool:
    """A negation reaches forward from behind its first word, not past a comma; inside a gap it negates the next word."""
    for first, after, reach in negations.near(one.first, one.after):
        ahead = first < one.first <= after + reach
        inside = one.first < first and not one.touches(first, first + 1) and one.touches(after, after + 1)
        if (ahead or inside) and tokens[first].clause == tokens[one.first].clause:
            return True
    return False


def _evidence(text: str, tokens: Sequence[Token], rule: Rule, best: Found, typing: _Typing) -> Evidence:
    start, end = tokens[best.first].start, tokens[best.after - 1].end
    return Evidence(rule.name, text[start:end], start, end, rule.intent_label, _weight(rule, best.fit, typing))


def _weight(rule: Rule, fit: Fit, typing: _Typing) -> float:
    if fit.guessed == 0:
        return rule.weight
    return round(rule.weight * (GUESSED_WORD_FACTOR if fit.words == 1 else typing.phrase_factor), 4)

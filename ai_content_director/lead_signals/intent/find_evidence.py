"""From tokens to evidence: which rules speak, once idioms, exceptions and negation have had their say."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lead_signals.intent.pattern_walk import Found
from lead_signals.intent.placed import Placed
from lead_signals.intent.rule import Rule
from lead_signals.intent.rule_pack import Role, RulePack
from lead_signals.intent.text_folding import EMOJI, WORD, Token
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


def find_evidence(text: str, tokens: Sequence[Token], rule_pack: RulePack) -> tuple[Evidence, ...]:
    """The best match of every rule that speaks, in the order of the text. `tokens` must be those of `text`."""
    opening, closing = _edges(tokens, rule_pack.particles)
    found = rule_pack.tree.walk(tokens, opening, closing)
    if not found:
        return ()
    spoken = _sort_out(found, rule_pack)
    phrase_factor = GUESSED_WORD_FACTOR if _types_diacritics(tokens) else GUESSED_PHRASE_FACTOR
    length = sum(token.kind != EMOJI for token in tokens)
    negations = Placed([(first, after + reach + 1, (first, after, reach)) for first, after, reach in spoken.negations])
    evidence: list[Evidence] = []
    for number, candidates in spoken.by_rule.items():
        rule = rule_pack.rules[number]
        if number in spoken.silenced or (rule.only_with and number not in spoken.accompanied):
            continue
        if rule.at_most_words is not None and length > rule.at_most_words:
            continue
        best = _best_match(rule, candidates, _placed(spoken.unlike.get(number, ())), negations, tokens)
        if best is not None:
            start, end = tokens[best.first].start, tokens[best.after - 1].end
            evidence.append(Evidence(rule.name, text[start:end], start, end, rule.intent_label, _weight(rule, best, phrase_factor)))
    evidence.sort(key=lambda one: (one.start, one.end, one.rule))
    return tuple(evidence)


@dataclass(slots=True)
class _Spoken:
    """What was found, by what it means."""

    by_rule: dict[int, list[Found]] = field(default_factory=dict)
    unlike: dict[int, list[Span]] = field(default_factory=dict)
    silenced: set[int] = field(default_factory=set)
    accompanied: set[int] = field(default_factory=set)
    negations: list[Negation] = field(default_factory=list)


def _sort_out(found: Sequence[Found], rule_pack: RulePack) -> _Spoken:
    spoken = _Spoken()
    by_role: dict[Role, list[Found]] = {}
    for one in found:
        by_role.setdefault(rule_pack.owners[one.owner].role, []).append(one)
    idioms = _placed([(one.first, one.after) for one in by_role.get(Role.IDIOM, ())])
    for one in by_role.get(Role.UNLIKE, ()):
        spoken.unlike.setdefault(rule_pack.owners[one.owner].rule_number, []).append((one.first, one.after))
    for role, numbers in ((Role.UNLESS, spoken.silenced), (Role.ONLY_WITH, spoken.accompanied)):
        for one in by_role.get(role, ()):
            if (one.guessed == 0 or one.words > 1) and not _misread(one, idioms):
                numbers.add(rule_pack.owners[one.owner].rule_number)
    for one in by_role.get(Role.RULE, ()):
        if not _misread(one, idioms):
            spoken.by_rule.setdefault(rule_pack.owners[one.owner].rule_number, []).append(one)
    no_negators = Placed([(one.first, one.after, one) for one in by_role.get(Role.NO_NEGATOR, ())])
    for role, reach in ((Role.NEGATOR, NEGATION_REACH), (Role.DIRECT_NEGATOR, 0)):
        for one in by_role.get(role, ()):
            if not any(each.touches(one.first, one.after) for each in no_negators.near(one.first, one.after)):
                spoken.negations.append((one.first, one.after, reach))
    return spoken


def _placed(spans: Sequence[Span]) -> Placed[Span]:
    return Placed([(*span, span) for span in spans])


def _misread(one: Found, idioms: Placed[Span]) -> bool:
    """Part of a phrase that means something else; a pattern that spells the whole phrase out knows what it says."""
    return any(one.touches(*idiom) and not one.holds(*idiom) for idiom in idioms.near(one.first, one.after))


def _types_diacritics(tokens: Sequence[Token]) -> bool:
    words = sum(token.kind == WORD for token in tokens)
    return sum(token.typed_diacritics for token in tokens) >= TYPES_DIACRITICS_SHARE * words


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


def _best_match(
    rule: Rule, candidates: Sequence[Found], unlike: Placed[Span], negations: Placed[Negation], tokens: Sequence[Token]
) -> Found | None:
    best: Found | None = None
    for one in candidates:
        if any(one.touches(*span) for span in unlike.near(one.first, one.after)):
            continue
        if rule.negatable and _is_negated(one, negations, tokens):
            continue
        if best is None or (-one.guessed, one.words) > (-best.guessed, best.words):
            best = one
    return best


def _is_negated(one: Found, negations: Placed[Negation], tokens: Sequence[Token]) -> bool:
    """A negation reaches forward from behind its first word, not past a comma; inside a gap it negates the next word."""
    for first, after, reach in negations.near(one.first, one.after):
        ahead = first < one.first <= after + reach
        inside = one.first < first and not one.touches(first, first + 1) and one.touches(after, after + 1)
        if (ahead or inside) and tokens[first].clause == tokens[one.first].clause:
            return True
    return False


def _weight(rule: Rule, found: Found, phrase_factor: float) -> float:
    if found.guessed == 0:
        return rule.weight
    return round(rule.weight * (GUESSED_WORD_FACTOR if found.words == 1 else phrase_factor), 4)

"""Which rules would have spoken about a text, and what kept them silent: asked by `explain`, never on the way of a message.

Each way to silence is taken out of the pack in its turn, and the same `find_evidence` is asked again: a rule that speaks then and did
not before was silenced that way. So this cannot tell another story than the verdict.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from lead_signals.intent.evidence.find_evidence import find_evidence
from lead_signals.intent.folding.text_folding import Token
from lead_signals.intent.pack.rule_pack import PatternOwner, Role, RulePack, packaged_rule_pack
from lead_signals.intent.verdict import Evidence


class Silencer(StrEnum):
    """What kept a rule silent, as a person reads it."""

    NEGATION = "negated"
    IDIOM = "the words mean something else in this phrase"
    UNLIKE = "the words stand in a phrase that the rule leaves alone"
    UNLESS = "the text says something that silences the rule"
    ONLY_WITH = "what must stand beside it is missing"
    TOO_LONG = "the text is too long for so short a wording"
    SEVERAL = "more than one reason"
    TURNED_OFF = "the tenant's rules turn it off"


_ROLES: dict[Silencer, frozenset[Role]] = {
    Silencer.NEGATION: frozenset({Role.NEGATOR, Role.DIRECT_NEGATOR}),
    Silencer.IDIOM: frozenset({Role.IDIOM}),
    Silencer.UNLIKE: frozenset({Role.UNLIKE}),
    Silencer.UNLESS: frozenset({Role.UNLESS}),
}
_ALL_ROLES = frozenset().union(*_ROLES.values())
_MEANS_NOTHING = PatternOwner(Role.UNLIKE)  # an exception to no rule


@dataclass(frozen=True, slots=True)
class Silenced:
    """`would_say` is what the rule would have added; `by` are the words that kept it silent, as (start, end) of the text, if words did."""

    would_say: Evidence
    silencer: Silencer
    by: tuple[int, int] | None


def find_silenced(text: str, tokens: Sequence[Token], rule_pack: RulePack, evidence: Sequence[Evidence]) -> tuple[Silenced, ...]:
    """One for each rule that was kept silent, in the order of the text. `evidence` is what `find_evidence` said of the same tokens."""
    spoke = {one.rule for one in evidence}
    found: dict[str, Silenced] = {}
    for silencer, weaker in _without_each_silencer(rule_pack):
        for one in find_evidence(text, tokens, weaker):
            if silencer is Silencer.TURNED_OFF and one.rule not in rule_pack.silenced:
                continue
            if one.rule not in spoke and one.rule not in found:
                found[one.rule] = Silenced(one, silencer, _by(one, silencer, tokens, rule_pack))
    return tuple(sorted(found.values(), key=lambda one: (one.would_say.start, one.would_say.end, one.would_say.rule)))


def _without_each_silencer(pack: RulePack) -> Iterable[tuple[Silencer, RulePack]]:
    for silencer, roles in _ROLES.items():
        yield silencer, _deaf_to(pack, roles)
    yield Silencer.ONLY_WITH, replace(pack, rules=tuple(replace(rule, only_with=()) for rule in pack.rules))
    yield Silencer.TOO_LONG, replace(pack, rules=tuple(replace(rule, at_most_words=None) for rule in pack.rules))
    lenient = tuple(replace(rule, only_with=(), at_most_words=None) for rule in pack.rules)
    if pack.silenced:
        yield Silencer.TURNED_OFF, packaged_rule_pack()  # what a tenant turned off has no patterns left in the tenant's pack
    yield Silencer.SEVERAL, replace(_deaf_to(pack, _ALL_ROLES), rules=lenient)


def _deaf_to(pack: RulePack, roles: frozenset[Role]) -> RulePack:
    return replace(pack, owners=tuple(_MEANS_NOTHING if owner.role in roles else owner for owner in pack.owners))


def _by(said: Evidence, silencer: Silencer, tokens: Sequence[Token], pack: RulePack) -> tuple[int, int] | None:
    """The silencing words nearest to those of the rule: of an idiom or an exception they touch, of a negation they stand before."""
    roles = _ROLES.get(silencer)
    if roles is None:
        return None
    places: list[tuple[int, int]] = []
    for one in pack.tree.walk(tokens, 0, len(tokens)):
        owner = pack.owners[one.owner]
        if owner.role in roles and (owner.rule_number < 0 or pack.rules[owner.rule_number].name == said.rule):
            places.append((tokens[one.first].start, tokens[one.after - 1].end))
    return min(places, key=lambda place: (_distance(place, said, silencer), place[0] - place[1], place), default=None)


def _distance(place: tuple[int, int], said: Evidence, silencer: Silencer) -> int:
    start, end = place
    if silencer is Silencer.NEGATION and start > said.start and end > said.end:
        return len(said.matched) + start  # a negation reaches forward: what stands behind the words comes last
    return max(start - said.end, said.start - end, 0)

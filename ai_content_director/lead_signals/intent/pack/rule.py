"""A rule: a name a person can say, what it means when it speaks, and the sentences that prove it."""

from dataclasses import dataclass

from lead_signals.intent.verdict import IntentLabel

# What speaks beside rules and is named as they are: the answers of a form, and the opinions. No rule may pass for one of them.
NAMES_OF_OTHERS = frozenset({"lead_form", "statistical opinion", "language model"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as written in a rule pack.

    `weight` (0..1) is how often a text with this wording really has this intent. `any_of` are the wordings; `unlike` are
    phrases in which the same words mean something else (a match that touches one does not count); `unless` are phrases that
    silence the rule anywhere in the text; `only_with` are phrases of which one must stand elsewhere in the text;
    `at_most_words` keeps a short wording out of long stories. A `negatable` rule is silent where its words are negated.
    `says` must be found by this rule and get this intent; `never` must not be found by it. `vi` is the name in Vietnamese, as an
    operator reads it under "Vì sao?"; without it the name is shown.
    """

    name: str
    intent_label: IntentLabel
    weight: float
    any_of: tuple[str, ...]
    unlike: tuple[str, ...]
    unless: tuple[str, ...]
    only_with: tuple[str, ...]
    at_most_words: int | None
    negatable: bool
    says: tuple[str, ...]
    never: tuple[str, ...]
    vi: str | None = None

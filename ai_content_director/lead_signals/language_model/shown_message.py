"""What of a message a model may see: what a person would see of it, the first two thousand characters, masked."""

import re
import unicodedata
from typing import Final

from lead_signals.language_model.masked_text import masked_text

LONGEST_SHOWN_CHARACTERS: Final = 2_000
# What is masked is looked for a little further, so that the cut leaves no half of it unmasked; the longest contact has 409 characters.
_LOOKED_AT_CHARACTERS: Final = LONGEST_SHOWN_CHARACTERS + 500

# Signs without a shape in which words can be hidden from people and shown to a model: tags (U+E0000-E007F), zero widths and the
# turns of writing direction are of these kinds; variation selectors and the fillers are marks and letters by kind.
_HIDDEN_KINDS: Final = frozenset({"Cf", "Cc", "Cs", "Co"})
_LINE_BREAKS = re.compile("\r\n?|[\u0085\u2028\u2029\v\f]")
_HIDDEN_SIGNS = re.compile("[\u034f\u115f\u1160\u3164\uffa0\u17b4\u17b5\u180b-\u180d\ufe00-\ufe0f\U000e0000-\U000e01ef]")


def visible_text(text: str) -> str:
    """`text` without what nobody sees: tag characters, zero widths, bidi controls, variation selectors, control characters."""
    if text.isascii() and text.isprintable():
        return text.strip()
    seen = _HIDDEN_SIGNS.sub("", _LINE_BREAKS.sub("\n", text))
    return "".join(sign for sign in seen if sign in "\n\t" or unicodedata.category(sign) not in _HIDDEN_KINDS).strip()


def shown_message(text: str) -> str:
    """`text` as it may leave this process; at most 2,000 characters, empty when there is nothing to see. Never raises."""
    seen = visible_text(text)[:_LOOKED_AT_CHARACTERS]
    return masked_text(seen, LONGEST_SHOWN_CHARACTERS)[:LONGEST_SHOWN_CHARACTERS].strip()

"""An evaluation as lines for a person at a terminal, at most 100 columns wide."""

import unicodedata
from collections.abc import Sequence

from lead_signals.intent.measure.evaluate import LEAST_SUPPORT
from lead_signals.intent.measure.evaluation import Evaluation, Mistake, PhoneScore
from lead_signals.intent.verdict import IntentLabel
from lead_signals.printable import printable

WIDTH = 100
NOTHING = "–"
_INDENT = "    "
_TEXT_LINES = 3  # of one mistake; who needs the whole text has the file
_HEAD = 5  # letters of a label above a column of the confusion


def render_evaluation(evaluation: Evaluation, *, worst: int) -> list[str]:
    """All tables and the `worst` most confident mistakes; texts are shown so that they cannot steer a terminal."""
    blocks = [
        _summary(evaluation),
        _labels(evaluation),
        _lanes(evaluation),
        _confusion(evaluation),
        _reliability(evaluation),
        [_phones(evaluation.phones)] if evaluation.phones is not None else [],
        _worst(evaluation.mistakes, worst),
    ]
    return [line for number, block in enumerate(block for block in blocks if block) for line in ([""] if number else []) + block]


def _summary(evaluation: Evaluation) -> list[str]:
    decided = ", ".join(f"{who} {count:,}" for who, count in evaluation.decided.items())
    labels = ", ".join(evaluation.macro_labels)
    over = f"over the {len(evaluation.macro_labels)} labels of at least {LEAST_SUPPORT} texts: {labels}"
    return [
        f"{evaluation.messages:,} messages; decided by: {decided}",
        f"rule pack {printable(evaluation.rule_pack)}",
        "",
        f"accuracy          {evaluation.accuracy:.3f}  the label itself",
        f"lenient accuracy  {evaluation.lenient_accuracy:.3f}  the label or an acceptable one",
        *_wrapped(f"macro-F1          {_ratio(evaluation.macro_f1)}  {over if labels else 'no label has ten texts'}", 25, 4),
        f"ECE               {evaluation.ece:.3f}  confidence against lenient correctness; strict {evaluation.ece_strict:.3f}",
        f"Brier score       {evaluation.brier:.3f}  lenient",
    ]


def _labels(evaluation: Evaluation) -> list[str]:
    rows = [("label", "precision", "recall", "F1", "lenient recall", "texts", "said")]
    rows += [
        (
            label.value,
            _ratio(score.precision),
            _ratio(score.recall),
            _ratio(score.f1),
            _ratio(score.lenient_recall),
            f"{score.support:,}",
            f"{score.said:,}",
        )
        for label, score in evaluation.labels.items()
    ]
    return _table(rows)


def _lanes(evaluation: Evaluation) -> list[str]:
    rows = [("lane", "texts", "coverage", "lenient precision", "strict precision")]
    rows += [
        (lane, f"{score.count:,}", _ratio(score.coverage), _ratio(score.lenient_precision), _ratio(score.strict_precision))
        for lane, score in evaluation.lanes.items()
    ]
    return _table(rows)


def _confusion(evaluation: Evaluation) -> list[str]:
    rows: list[tuple[str, ...]] = [("people say ↓, we say →", *(_head(label) for label in evaluation.confusion))]
    rows += [(label.value, *(str(count or "·") for count in row.values())) for label, row in evaluation.confusion.items()]
    return _table(rows, gap=" ")


def _head(label: IntentLabel) -> str:
    """A label in five letters; inquiry and inquiry_price begin alike."""
    return label.removeprefix("inquiry_")[:_HEAD].rstrip("_")


def _reliability(evaluation: Evaluation) -> list[str]:
    rows = [("confidence", "texts", "mean confidence", "lenient accuracy", "strict accuracy")]
    rows += [
        (
            f"{one.low:.1f} to {one.high:.1f}",
            f"{one.count:,}",
            _ratio(one.confidence),
            _ratio(one.lenient_accuracy),
            _ratio(one.strict_accuracy),
        )
        for one in evaluation.reliability
        if one.count
    ]
    return _table(rows)


def _phones(phones: PhoneScore) -> str:
    missed, invented = phones.there - phones.both, phones.found - phones.both
    return (
        f"phones  precision {_ratio(phones.precision)}  recall {_ratio(phones.recall)}"
        f"  in {phones.there:,} of {phones.messages:,} messages; {missed:,} missed, {invented:,} invented"
    )


def _worst(mistakes: Sequence[Mistake], worst: int) -> list[str]:
    if not mistakes:
        return ["No mistakes."]
    shown = mistakes[:worst]
    if not shown:
        return [f"{len(mistakes):,} mistakes."]
    lines = [f"The {len(shown):,} most confident of {len(mistakes):,} mistakes:" if len(shown) > 1 else "The most confident mistake:"]
    for number, mistake in enumerate(shown, start=1):
        lines += _one_mistake(number, mistake)
    return lines


def _one_mistake(number: int, mistake: Mistake) -> list[str]:
    message, judgement = mistake.message, mistake.judgement
    verdict = judgement.verdict
    meant = " or ".join((message.label, *sorted(message.acceptable - {message.label})))
    head = f"{number}. {verdict.confidence_score:.3f} {verdict.status}: {verdict.intent_label}, should be {meant} (id {message.id})"
    spoke = [f"{one.rule} “{one.matched}” {one.weight:.2f}" for one in verdict.evidence if one.intent_label is verdict.intent_label]
    return [
        *_wrapped(printable(head), len(_INDENT), 2),
        *_wrapped(f"{_INDENT}“{printable(message.text)}”", len(_INDENT), _TEXT_LINES),
        *_wrapped(f"{_INDENT}{judgement.decision.by}: {printable('; '.join((judgement.decision.reason, *spoke)))}", len(_INDENT), 2),
    ]


def _ratio(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"


def _table(rows: Sequence[Sequence[str]], gap: str = "  ") -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        gap.join(cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]


def _wrapped(line: str, indent: int, most_lines: int) -> list[str]:
    """Printable text in lines of at most WIDTH columns, later ones indented; what does not fit into `most_lines` ends in an ellipsis."""
    lines: list[str] = []
    rest = line
    while rest:
        pad = " " * indent if lines else ""
        cut = _fitting(rest, WIDTH - len(pad))
        if cut < len(rest) and len(lines) + 1 == most_lines:
            return [*lines, pad + rest[: _fitting(rest, WIDTH - len(pad) - 1)].rstrip() + "…"]
        space = rest.rfind(" ", 1, cut + 1) if cut < len(rest) else -1
        # A break at a space, unless that throws away most of the line; a script without spaces breaks anywhere.
        cut = space if space > cut // 2 else cut
        lines.append((pad + rest[:cut]).rstrip())
        rest = rest[cut:].lstrip()
    return lines


def _fitting(text: str, columns: int) -> int:
    """How many characters of `text` fit into so many columns; wide signs take two, marks above or below others none."""
    used = 0
    for number, sign in enumerate(text):
        used += 0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        if used > columns:
            return max(number, 1)
    return len(text)

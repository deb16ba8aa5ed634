"""The result of the intent bench as a table for people (plain text, to be pasted into a document) and as JSON for programs."""

from dataclasses import asdict

import orjson

from bench.intent_result import IntentResult, Reader, ReadTexts
from bench.show_intake import NOTHING
from bench.table_columns import table_columns

_NAMES = {Reader.NAIVE: "naive keyword list", Reader.RULES: "rules alone", Reader.WHOLE: "the whole chain"}
HEADINGS = ("", "texts", "messages", "messages/s", "slowest", "fastest", "p50 µs", "p99 µs", "max µs", "of naive time")
NOTES = """\
messages/s     median over the rounds, each of other texts; slowest and fastest round beside it; one thread
p50, p99, max  of each message of all rounds, the garbage collector's pauses among them
of naive time  how many times as long as the naive list for the same texts in the same round, median over the rounds
naive          lower-cased substring search for fixed keywords with fixed scores: no folding, no phones, no negation, no evidence
rules alone    phones and e-mails, folding, rules, weighing; the whole chain adds the statistics and the decision, as the door does
engine         a fresh process: seconds and memory of importing, of reading the rules, of reading the statistics, each on top of the last"""


def show_intent(result: IntentResult) -> str:
    """The whole report."""
    return "\n\n".join((_circumstances(result), _table(result), _engine(result), NOTES)) + "\n"


def intent_json(result: IntentResult) -> bytes:
    """Everything that was measured."""
    return orjson.dumps(asdict(result), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _circumstances(result: IntentResult) -> str:
    machine = result.machine
    return "\n".join(
        (
            f"Intent, measured {result.measured_at:%Y-%m-%d %H:%M} UTC in one run of {result.took_seconds:.0f} s",
            "",
            f"machine  {machine.cpu}, {machine.cores} cores, {machine.memory_mib / 1024:.1f} GiB; {machine.kernel}; {machine.python}",
            f"load     {result.load_before:.2f} before, {result.load_after:.2f} after: who wanted a core over a minute, the bench included",
            f"engine   {result.rules:,} rules, {result.rule_pack}; naive list of {result.keywords} keywords; {result.rounds} rounds each",
        )
    )


def _table(result: IntentResult) -> str:
    return table_columns([HEADINGS, *(_row(line) for line in result.lines)], left=2)


def _row(line: ReadTexts) -> tuple[str, ...]:
    return (
        _NAMES[line.reader],
        line.texts,
        f"{line.messages:,}",
        f"{line.per_second:,.0f}",
        f"{line.slowest_round:,.0f}",
        f"{line.fastest_round:,.0f}",
        f"{line.p50_us:,.1f}",
        f"{line.p99_us:,.1f}",
        f"{line.max_us:,.0f}",
        f"{line.times_naive:,.1f}",
    )


def _engine(result: IntentResult) -> str:
    engine = result.engine
    return table_columns(
        [
            ("engine", "seconds", "MiB"),
            ("import", f"{engine.import_seconds:.3f}", _mebibytes(engine.import_kib)),
            ("rules", f"{engine.rules_seconds:.3f}", _mebibytes(engine.rules_kib)),
            ("statistics", f"{engine.statistics_seconds:.3f}", _mebibytes(engine.statistics_kib)),
        ]
    )


def _mebibytes(kib: float | None) -> str:
    return NOTHING if kib is None else f"{kib / 1024:.1f}"

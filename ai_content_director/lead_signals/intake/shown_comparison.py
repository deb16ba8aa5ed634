"""A comparison of rules as the operator sees it: differences and tables on standard output, which two on standard error."""

import heapq
import json
import time

import click

from lead_signals.intake.compare_rules import ComparedPart
from lead_signals.intake.replay import ReplaySize
from lead_signals.intake.rules_comparison import ComparedMessage, RulesSummary
from lead_signals.intake.rules_report import as_value, line_of, notes, row_of, sentence_of, tables
from lead_signals.intent.pack.rule_pack import RulePack, packaged_rule_pack


class ShownComparison:
    """Of the differences it keeps as many as are shown, the most telling; with `as_json` each is a line at once, and none is kept."""

    def __init__(self, *, as_json: bool, limit: int) -> None:
        self._as_json, self._limit = as_json, limit
        self._summary = RulesSummary()
        self._telling: list[ComparedMessage] = []
        self._began = time.monotonic()

    def begin(self, size: ReplaySize, active: RulePack | None, candidate: RulePack) -> None:
        """Which two are compared; None = the packaged rules."""
        self._summary.without_body = size.without_body
        click.echo(f"In force:  {(active or packaged_rule_pack()).name}\nCandidate: {candidate.name}", err=True)

    def add(self, part: ComparedPart) -> None:
        """One more part is done."""
        self._summary.receipts += part.receipts
        self._summary.unreadable += part.unreadable
        self._summary.forms += part.forms
        for message in part.messages:
            self._summary.add(message)
        differing = [message for message in part.messages if message.moves]
        if self._as_json:
            for message in differing:
                click.echo(json.dumps(row_of(message), ensure_ascii=False))
        else:
            self._telling = heapq.nlargest(self._limit, [*self._telling, *differing], key=lambda message: message.weight)

    def end(self) -> None:
        """All of it is done."""
        sentence = sentence_of(self._summary, seconds=time.monotonic() - self._began)
        if self._as_json:
            click.echo(json.dumps(as_value(self._summary)))
            click.echo(sentence, err=True)
            return
        for line in (*tables(self._summary), *self._lines(), *notes(self._summary), sentence):
            click.echo(line)

    def _lines(self) -> list[str]:
        if not self._summary.changed:
            return []
        left_out = self._summary.changed - len(self._telling)
        rest = [f"… and {left_out:,} more; --limit shows more of them, --json all"] if left_out else []
        return [*(line_of(row_of(message)) for message in self._telling), *rest, ""]

"""`lead-signals classify`, `explain`, `evaluate`: what the engine says of texts, why, and how often it is right."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from lead_signals.mendable_errors import languages_or_sentence, usable_rules

if TYPE_CHECKING:
    from lead_signals.intent.classify import Judgement
    from lead_signals.intent.measure.labelled_message import LabelledMessage
    from lead_signals.intent.pack.rule_pack import RulePack

PROBLEMS_TOLD = 20  # of a file that is something else altogether

_rules_option = click.option(
    "--rules",
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE or FOLDER",
    help="A tenant's own rules beside the packaged ones, or a folder of languages instead of them.",
)


@click.command()
def classify() -> None:
    """Read JSON lines {"id", "text"} on stdin, write one verdict a line. Exit status 1 when a line could not be read.

    \b
    echo '{"id":1,"text":"Cho tôi báo giá"}' | lead-signals classify
    """
    from lead_signals.intent.bad_line import BadLine
    from lead_signals.intent.classify_lines import classify_lines

    bad_lines = 0
    for answer in classify_lines(sys.stdin.buffer):
        if isinstance(answer, BadLine):
            bad_lines += 1
            click.echo(f"line {answer.number}: {answer.problem}", err=True)
        else:
            sys.stdout.buffer.write(answer + b"\n")
    sys.exit(1 if bad_lines else 0)


@click.command()
@click.argument("text")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@_rules_option
def explain(text: str, as_json: bool, rules: Path | None) -> None:
    """Show how a text is understood: the words that decided, the rules and what silenced some, the statistics, the lane.

    \b
    lead-signals explain "Cho tôi báo giá gói Enterprise"
    lead-signals explain - < message.txt
    """
    from lead_signals.intent.explaining.explain import explain as run
    from lead_signals.intent.explaining.explanation_json import explanation_json
    from lead_signals.intent.explaining.render_explanation import render_explanation

    said = sys.stdin.buffer.read().decode("utf-8", "replace").removesuffix("\n").removesuffix("\r") if text == "-" else _utf8(text)
    explanation = run(said, _rule_pack(rules))
    if as_json:
        click.echo(json.dumps(explanation_json(explanation), ensure_ascii=False, indent=2))
        return
    for line in render_explanation(explanation):
        click.echo(line)


@click.command()
@click.argument("file", type=click.File("rb"), metavar="FILE.jsonl")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT.svg", help="Draw the reliability there.")
@click.option("--worst", type=click.IntRange(0), default=10, show_default=True, help="How many of the most confident mistakes to show.")
@_rules_option
@click.option("--rules-alone", is_flag=True, help="Without the statistical opinion.")
@click.option("--skip-bad", is_flag=True, help="Measure by the good lines even if some are bad.")
def evaluate(
    *, file: BinaryIO, as_json: bool, plot: Path | None, worst: int, rules: Path | None, rules_alone: bool, skip_bad: bool
) -> None:
    """Measure on messages that people labelled: accuracy, each label, the lanes, whether the confidence keeps its word.

    One JSON object a line: {"id", "text", "label", "acceptable": [other labels], "has_phone": true}; the last two may be missing. A
    bad line ends it with exit status 1 before anything is measured. `-` reads stdin.

    \b
    lead-signals evaluate messages.jsonl --worst 20 --plot reliability.svg
    """
    from lead_signals.intent.classify import judge
    from lead_signals.intent.measure.evaluate import evaluate as run
    from lead_signals.intent.measure.evaluation_json import evaluation_json
    from lead_signals.intent.measure.reliability_plot import reliability_plot
    from lead_signals.intent.measure.render_evaluation import render_evaluation

    pack = _rule_pack(rules)
    messages = _messages(file, skip_bad=skip_bad)
    with click.progressbar(length=len(messages), label="Messages", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def judge_one(text: str) -> "Judgement":
            bar.update(1)
            return judge(text, pack, ask_statistics=not rules_alone)

        evaluation = run(messages, judge_one)
    if plot is not None:
        _write(plot, reliability_plot(evaluation))
    if as_json:
        click.echo(json.dumps(evaluation_json(evaluation, worst=worst), ensure_ascii=False, indent=2))
        return
    for line in render_evaluation(evaluation, worst=worst):
        click.echo(line)


def _utf8(text: str) -> str:
    """An argument whose bytes were no UTF-8 holds lone surrogates, which no terminal and no JSON takes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _messages(lines: Iterable[bytes], *, skip_bad: bool) -> "Sequence[LabelledMessage]":
    from lead_signals.intent.bad_line import BadLine
    from lead_signals.intent.measure.labelled_message import read_labelled_messages

    messages: list[LabelledMessage] = []
    bad_lines = 0
    for one in read_labelled_messages(lines):
        if not isinstance(one, BadLine):
            messages.append(one)
            continue
        bad_lines += 1
        if bad_lines <= PROBLEMS_TOLD:
            click.echo(f"line {one.number}: {one.problem}", err=True)
    if bad_lines > PROBLEMS_TOLD:
        click.echo(f"… and {bad_lines - PROBLEMS_TOLD:,} more bad lines", err=True)
    if bad_lines and not skip_bad:
        raise click.ClickException(f"{bad_lines:,} lines cannot be used, so nothing was measured. Mend them, or add --skip-bad.")
    if bad_lines:
        click.echo(f"{bad_lines:,} bad lines are left out of everything below.", err=True)
    if not messages:
        raise click.ClickException("There is no labelled message in it: nothing to measure by.")
    return messages


def _rule_pack(path: Path | None) -> "RulePack | None":
    from lead_signals.intent.own_rules.tenant_rules import read_tenant_rules, rule_pack_with
    from lead_signals.intent.pack.rule_pack import load_rule_pack
    from lead_signals.intent.pack.yaml_marks import LARGEST_FILE_BYTES

    if path is None:
        return None
    with usable_rules():
        if path.is_dir():
            return load_rule_pack(languages_or_sentence(path))
        with path.open("rb") as file:
            return rule_pack_with(read_tenant_rules(file.read(LARGEST_FILE_BYTES + 1), path.name))


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written ({error.strerror}).") from None

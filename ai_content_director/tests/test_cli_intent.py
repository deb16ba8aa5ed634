"""`classify`, `explain`, `evaluate` at the operator's door: what scripts and people get, from good input and from bad."""

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from lead_signals.cli import cli
from tests.deliveries import POLITE, UNCLEAR, URGENT
from tests.intake.strange_bodies import STRANGE_JSON, STRANGE_TEXTS
from tests.product import SERVICE, clean_environment

CLASSIFIED = ["id", "intent_label", "priority", "confidence_score", "status", "evidence", "phones", "emails"]
LABELLED = [
    {"id": "a", "text": "Cho tôi báo giá máy phay", "label": "inquiry_price", "has_phone": False},
    {"id": "b", "text": "Gọi lại cho mình số 0912 345 678 nha", "label": "contact_request", "has_phone": True, "ambiguous": True},
    {"id": "c", "text": "Cảm ơn shop nhiều nha", "label": "thanks", "acceptable": ["engagement"]},
    {"id": "d \x1b[31m", "text": "Cho tôi báo giá \x1b[2J máy tiện", "label": "spam"},
]


def run(*arguments: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(cli, list(arguments), input=stdin)


def run_process(*arguments: str | bytes, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """The same as an operator does it: a process of its own."""
    command = [sys.executable, "-m", "lead_signals", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=SERVICE, env=clean_environment(), timeout=60, check=False)


def test_classify_answers_line_by_line_in_order() -> None:
    asked = [
        {"id": 1, "text": URGENT},
        {"id": "hai", "text": UNCLEAR},
        {"text": f"{POLITE} 0912 345 678 a@b.vn"},
        {"id": {"x": [1]}, "text": ""},
    ]
    told = run_process("classify", stdin="".join(json.dumps(line, ensure_ascii=False) + "\n" for line in asked).encode())
    assert (told.returncode, told.stderr) == (0, b"")
    answers = [json.loads(line) for line in told.stdout.decode().splitlines()]
    assert [list(answer) for answer in answers] == [CLASSIFIED] * len(asked)
    assert [answer["id"] for answer in answers] == [1, "hai", None, {"x": [1]}]
    assert (answers[0]["intent_label"], answers[0]["priority"], answers[0]["status"]) == ("inquiry_price", "high", "new_auto")
    assert (answers[2]["phones"], answers[2]["emails"]) == (["+84912345678"], ["a@b.vn"])
    for span in answers[0]["evidence"]:
        assert URGENT[span["start"] : span["end"]] == span["matched"]


def test_classify_numbers_bad_lines_and_goes_on() -> None:
    good = json.dumps({"id": 9, "text": URGENT}).encode()
    lines = [good, b"", b"no JSON", b'["text"]', b'{"id":1}', b'{"text":7}', b"   ", b'{"text":"\xff"}', b'{"text":NaN}', good]
    told = run("classify", stdin=b"\n".join(lines))
    assert told.exit_code == 1
    assert [json.loads(line)["id"] for line in told.stdout.splitlines()] == [9, 9]
    numbers = [int(line.partition(":")[0].removeprefix("line ")) for line in told.stderr.splitlines()]
    assert numbers == [3, 4, 5, 6, 8, 9]


def test_classify_takes_whatever_people_write() -> None:
    texts = [text for text in STRANGE_TEXTS if len(text) < 10_000]
    told = run("classify", stdin=b"\n".join(json.dumps({"id": number, "text": text}).encode() for number, text in enumerate(texts)))
    assert (told.exit_code, told.stderr) == (0, "")
    assert [json.loads(line)["id"] for line in told.stdout.splitlines()] == list(range(len(texts)))


def test_classify_survives_lines_that_are_no_json() -> None:
    strange = [text.replace("\n", " ") for text in STRANGE_JSON if text.strip()]
    told = run("classify", stdin="\n".join([*strange, json.dumps({"id": "last", "text": "x"})]).encode())
    assert told.exit_code == 1
    assert len(told.stderr.splitlines()) == len(strange)
    assert json.loads(told.stdout.splitlines()[-1])["id"] == "last"


def test_classify_of_nothing_is_nothing() -> None:
    told = run("classify", stdin=b"")
    assert (told.exit_code, told.output) == (0, "")


def test_explain_tells_why_in_lines_and_as_json() -> None:
    told = run("explain", "Cho tôi báo giá")
    assert told.exit_code == 0
    marked, blank, verdict, *_ = told.output.splitlines()
    assert "báo giá⟧" in marked
    assert (blank, verdict.split()[0]) == ("", "inquiry_price")
    as_json = json.loads(run("explain", "--json", "Cho tôi báo giá").output)
    assert (as_json["intent_label"], as_json["decided_by"]) == ("inquiry_price", "rules")
    assert f"  {as_json['confidence_score']:.3f}  priority high" in verdict


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_explain_reads_stdin_with_a_dash(end: bytes) -> None:
    said = json.loads(run("explain", "--json", "-", stdin="Shop ơi\nbáo giá".encode() + end).output)
    assert said["text"] == "Shop ơi\nbáo giá"


def test_explain_takes_bytes_that_are_no_text() -> None:
    for arguments, stdin in ((["explain", b"b\xffo gi\xc3\xa1 \x1b[2J"], b""), (["explain", "-"], b"b\xffo gi\xc3\xa1 \x1b[2J")):
        told = run_process(*arguments, stdin=stdin)
        assert (told.returncode, told.stderr) == (0, b"")
        first_line = told.stdout.decode().splitlines()[0]
        assert first_line.replace("⟦", "").replace("⟧", "") == "b\ufffdo giá \ufffd[2J"
    as_json = run_process("explain", "--json", b"b\xffo gi\xc3\xa1")
    assert (as_json.returncode, json.loads(as_json.stdout)["text"]) == (0, "b\ufffdo giá")


def labelled(folder: Path, *more: str) -> str:
    file = folder / "labelled.jsonl"
    file.write_text("\n".join([*(json.dumps(one) for one in LABELLED), *more]), encoding="utf-8")
    return str(file)


def test_evaluate_tells_everything_in_100_columns(tmp_path: Path) -> None:
    told = run("evaluate", labelled(tmp_path), "--worst", "1")
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert lines[0].startswith("4 messages; decided by: ")
    assert "accuracy          0.750  the label itself" in lines
    assert "phones  precision 1.000  recall 1.000  in 1 of 2 messages; 0 missed, 0 invented" in lines
    assert any(line.startswith("1. 0.") and "inquiry_price, should be spam (id d \ufffd[31m)" in line for line in lines)
    assert all(line.isprintable() and len(line) <= 100 for line in lines)


def test_evaluate_as_json_and_from_stdin(tmp_path: Path) -> None:
    file = labelled(tmp_path)
    told = json.loads(run("evaluate", file, "--json", "--worst", "0").stdout)
    assert (told["messages"], told["accuracy"], told["macro_f1"], told["mistakes"], told["worst"]) == (4, 0.75, None, 1, [])
    assert json.loads(run("evaluate", "-", "--json", "--worst", "0", stdin=Path(file).read_bytes()).stdout) == told


def test_evaluate_draws_where_it_is_told(tmp_path: Path) -> None:
    file, plot = labelled(tmp_path), tmp_path / "plot.svg"
    assert run("evaluate", file, "--plot", str(plot)).exit_code == 0
    assert ElementTree.parse(plot).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    nowhere = run("evaluate", file, "--plot", str(tmp_path / "no" / "where.svg"))
    assert (nowhere.exit_code, nowhere.output.endswith("cannot be written (No such file or directory).\n")) == (1, True)


def test_evaluate_names_bad_lines_and_measures_nothing(tmp_path: Path) -> None:
    file = labelled(tmp_path, "no JSON", "", '{"text":"x","label":"price"}')
    told = run("evaluate", file, "--plot", str(tmp_path / "plot.svg"))
    assert (told.exit_code, told.stdout) == (1, "")
    first, second, last = told.stderr.splitlines()
    assert first.startswith("line 5: not JSON")
    assert second.startswith("line 7: \"label\" is 'price'; known are spam, complaint")
    assert last == "Error: 2 lines cannot be used, so nothing was measured. Mend them, or add --skip-bad."
    assert not (tmp_path / "plot.svg").exists()
    skipping = run("evaluate", file, "--skip-bad", "--json")
    assert (skipping.exit_code, json.loads(skipping.stdout)["messages"]) == (0, 4)
    assert skipping.stderr.startswith("line 5: ")


def test_evaluate_of_something_else_altogether_stays_short() -> None:
    told = run("evaluate", "-", stdin=b"x\n" * 1000)
    assert told.exit_code == 1
    assert len(told.stderr.splitlines()) == 22
    assert "… and 980 more bad lines" in told.stderr


def test_evaluate_of_nothing_says_so(tmp_path: Path) -> None:
    assert "nothing to measure by" in run("evaluate", "-", stdin=b"\n").output
    assert run("evaluate", str(tmp_path / "nothing")).exit_code == 2


def test_evaluate_and_explain_by_other_rules(tmp_path: Path) -> None:
    rules = tmp_path / "klingon"
    (rules / "rules").mkdir(parents=True)
    (rules / "language.yaml").write_text("particles: []\n", encoding="utf-8")
    rule = "{rule: says so, weight: 0.99, any_of: [báo giá], says: [báo giá], not: [x]}"
    (rules / "rules" / "spam.yaml").write_text(f"intent: spam\nrules:\n  - {rule}\n", encoding="utf-8")
    for folder in (rules, tmp_path):
        told = json.loads(run("evaluate", labelled(tmp_path), "--json", "--rules-alone", "--rules", str(folder)).stdout)
        assert re.fullmatch(r"klingon-[0-9a-f]{10}", told["rule_pack"])
        assert told["confusion"]["spam"]["spam"] == 1
    assert "says so" in run("explain", "Cho tôi báo giá", "--rules", str(rules)).output
    (tmp_path / "empty").mkdir()
    assert "holds no rules" in run("explain", "x", "--rules", str(tmp_path / "empty")).output
    (rules / "language.yaml").write_text("particles: 7\n", encoding="utf-8")
    broken = run("explain", "x", "--rules", str(rules))
    assert (broken.exit_code, broken.output.startswith("Error: These rules cannot be used:\nklingon/language.yaml")) == (1, True)


def test_evaluate_and_explain_by_a_tenants_own_rules(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "rules: [{rule: wants a lathe, intent: purchase_intent, weight: 0.97, any_of: [zzlathe], says: [zzlathe], not: [x]}]", "utf-8"
    )
    assert "wants a lathe: “zzlathe” (0–7)" in run("explain", "zzlathe", "--rules", str(own)).output
    measured = json.loads(run("evaluate", labelled(tmp_path), "--json", "--rules", str(own)).stdout)
    assert "own.yaml" in measured["rule_pack"]
    own.write_text("rules: 7", encoding="utf-8")
    broken = run("explain", "x", "--rules", str(own))
    assert (broken.exit_code, broken.output.startswith("Error: These rules cannot be used:\nown.yaml")) == (1, True)

"""The documents tell the truth where a machine can tell: settings, links, dependencies, commands, floors, the names of the walk."""

import re
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from lead_signals.intake.group_commit import MOST_BYTES, MOST_DELIVERIES, MOST_ITEMS, MOST_SECONDS
from lead_signals.intake.waiting_line import MOST_WAITING, MOST_WAITING_BYTES
from lead_signals.intent.own_rules.prove_sentences import prove_sentences
from lead_signals.intent.pack.rule_pack import load_rule_pack
from lead_signals.settings import Settings

SERVICE = Path(__file__).parents[2]
REPOSITORY = SERVICE.parent
RUNBOOK = REPOSITORY / "docs" / "LEAD_SIGNALS_RUNBOOK.md"
WALKS = REPOSITORY / "docs" / "walks.md"
DOCUMENTS = [
    *(REPOSITORY / name for name in ("README.md", "README.vi.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]
SETTING_ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]*)` \| ([^|]*) \| ([^|]+) \|$", re.MULTILINE)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
HOP = re.compile(r"`([a-z0-9_/]+\.py):([A-Za-z_]\w*)`")
PACKAGE = re.compile(r"^\| `([A-Za-z0-9_\[\].-]+)` \|([^|]+)\|([^|]+)\|([^|]+)\|$", re.MULTILINE)

MOCK_ENTRY = '{"message":"Cho tôi báo giá","sender_name":"Test","sender_id":"u1","post_id":"p1","comment_id":"c1"}'
COMPOSE = ("docker compose", "docker compose -f docker-compose.yml -f docker-compose.prod.yml")
VERBATIM = [
    "bin/serve",
    "bin/test",
    "cd ai_content_director && pip install -r requirements.txt -r requirements-dev.txt"
    " && python -m pytest tests/test_lead_signals_smoke.py -v",
    *(f"{compose} up -d" for compose in COMPOSE),
    *(f"{compose} run --rm api alembic {step}" for compose in COMPOSE for step in ("upgrade head", "downgrade -1")),
    'curl -X POST http://localhost:8000/webhooks/facebook -H "Content-Type: application/json" -H "X-Tenant-ID: <TENANT_UUID>"'
    f' -d \'{{"object":"page","entry":[{MOCK_ENTRY}]}}\'',
    "SELECT status, COUNT(*) AS cnt FROM lead_signals WHERE tenant_id = :tenant_id AND created_at >= :since"
    " GROUP BY status ORDER BY cnt DESC;",
    "SELECT intent_label, COUNT(*) AS cnt FROM lead_signals WHERE tenant_id = :tenant_id AND created_at >= :since"
    " GROUP BY intent_label ORDER BY cnt DESC;",
    "SELECT set_config('app.tenant_id', '<TENANT_UUID>', false);",
]
SMOKE_TESTS = ("test_lead_signals_insert_count_and_join", "test_webhook_facebook_and_get_leads", "test_webhook_dedup")


def read(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def named(document: Path) -> str:
    return str(document.relative_to(REPOSITORY))


def contract() -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads(read(SERVICE / "pyproject.toml"))["tool"]["importlinter"]["contracts"][0]
    return content


def direct_dependencies() -> list[str]:
    files = [read(SERVICE / name) for name in ("requirements.in", "requirements-dev.in")]
    lines = [line.split(";")[0].strip() for file in files for line in file.splitlines()]
    return [line for line in lines if line and line[0] not in "#-"]


@pytest.mark.parametrize("name", [field.upper() for field in Settings.model_fields])
def test_the_runbook_explains_every_setting_with_its_default(name: str) -> None:
    rows = {row[0]: (row[1], row[2]) for row in SETTING_ROW.findall(read(RUNBOOK))}
    assert name in rows, f"{name} has no row in {named(RUNBOOK)}"
    default = Settings.model_fields[name.lower()].get_default()
    shown = "" if default is None else f"{default:g}" if isinstance(default, float) else str(default)
    told = rows[name][0].strip("` ")
    if default is None:
        assert told.startswith(("trống", "chưa đặt")), f"{name} has no default, and the runbook says {told!r}"
    else:
        assert told.lower() == shown.lower()


def test_the_runbook_explains_no_variable_that_is_gone() -> None:
    example = set(re.findall(r"^([A-Z][A-Z0-9_]*)=", read(SERVICE / ".env.example"), re.MULTILINE))
    assert {row[0] for row in SETTING_ROW.findall(read(RUNBOOK))} == example


@pytest.mark.parametrize("line", VERBATIM)
def test_the_runbook_shows_what_operators_paste_word_for_word(line: str) -> None:
    pasted = [pasted for _, block in FENCE.findall(read(RUNBOOK)) for pasted in block.splitlines()]
    assert line in pasted


@pytest.mark.parametrize("name", SMOKE_TESTS)
def test_the_runbook_names_the_smoke_tests_that_exist(name: str) -> None:
    assert f"`{name}`" in read(RUNBOOK)
    assert f"def {name}(" in read(SERVICE / "tests" / "test_lead_signals_smoke.py")


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    prose = FENCE.sub("", read(document))
    targets = [link or image for link, image in LINK.findall(prose)]
    dead = [target for target in targets if "://" not in target and not _is_there(document, target)]
    assert not dead, f"{named(document)} links to {', '.join(dead)}, which is not there"


def _is_there(document: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = (document.parent / path).resolve() if path else document
    if not file.exists():
        return False
    return not anchor or anchor in {_slug(heading) for heading in HEADING.findall(FENCE.sub("", read(file)))}


def _slug(heading: str) -> str:
    """As GitHub makes it: lower case, punctuation gone, spaces become hyphens, diacritics stay."""
    kept = [sign for sign in unicodedata.normalize("NFC", heading.strip().lower()) if sign.isalnum() or sign in " -_"]
    return "".join(kept).replace(" ", "-")


@pytest.mark.parametrize("package", direct_dependencies())
def test_every_direct_dependency_is_explained(package: str) -> None:
    rows = {row[0]: row[1:] for row in PACKAGE.findall(read(REPOSITORY / "docs" / "dependencies.md"))}
    assert package in rows, f"{package} has no line in docs/dependencies.md"
    assert all(cell.strip() for cell in rows[package]), f"{package}: why, what else was weighed and licence must all be there"


def test_no_explained_dependency_is_gone() -> None:
    explained = [row[0] for row in PACKAGE.findall(read(REPOSITORY / "docs" / "dependencies.md"))]
    assert sorted(explained) == sorted(direct_dependencies())


def test_the_floors_are_drawn_as_the_contract_has_them() -> None:
    drawn = next(block.splitlines() for language, block in FENCE.findall(read(WALKS)) if language == "floors")
    assert drawn == contract()["layers"]


def test_every_hop_of_the_walks_is_in_the_code() -> None:
    hops = HOP.findall(read(WALKS))
    assert len(hops) > 30
    missing = [f"{file}:{name}" for file, name in hops if not _defines(SERVICE / "lead_signals" / file, name)]
    assert not missing, f"docs/walks.md names what is not there: {', '.join(missing)}"


def _defines(file: Path, name: str) -> bool:
    return file.is_file() and re.search(rf"^\s*(async )?(def|class) {name}\b", read(file), re.MULTILINE) is not None


def test_the_decision_on_group_commit_tells_the_limits_as_they_are() -> None:
    told = " ".join(read(REPOSITORY / "docs" / "decisions" / "004-group-commit.md").split())
    mebibytes = [size // 2**20 for size in (MOST_WAITING_BYTES, MOST_BYTES)]
    assert f"{MOST_WAITING:,} deliveries or {mebibytes[0]} MiB may wait" in told
    assert (
        f"at most {MOST_DELIVERIES:,} deliveries, {MOST_ITEMS:,} items and {mebibytes[1]} MiB of them, and {MOST_SECONDS:g} seconds" in told
    )


def test_the_rule_shown_in_the_document_does_what_it_says(tmp_path: Path) -> None:
    shown = next(block for language, block in FENCE.findall(read(REPOSITORY / "docs" / "rule_packs.md")) if language == "yaml")
    folder = tmp_path / "vietnamese"
    (folder / "rules").mkdir(parents=True)
    (folder / "language.yaml").write_bytes((SERVICE / "lead_signals" / "intent" / "vietnamese" / "language.yaml").read_bytes())
    (folder / "rules" / "shown.yaml").write_text(shown, encoding="utf-8")
    assert prove_sentences(load_rule_pack([folder])) == []

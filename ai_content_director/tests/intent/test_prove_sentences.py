"""What a sentence proves, and the three ways in which it does not."""

from pathlib import Path

from lead_signals.intent.own_rules.prove_sentences import prove_sentences
from lead_signals.intent.pack.rule_pack import RulePack, load_rule_pack

RULES = {
    "price.yaml": """\
intent: inquiry_price
rules:
  - rule: asks for a quote
    weight: 0.8
    any_of: [báo giá, bảng giá]
    unless: [cảm ơn]
    says:
      - báo giá nhé
      - hôm nay trời đẹp
      - hủy báo giá
    not:
      - chào shop
      - gửi bảng giá
""",
    "spam.yaml": """\
intent: complaint
rules:
  - rule: cancels
    weight: 0.9
    any_of: [hủy]
    says: [hủy đi]
    not: [mua đi]
""",
}


def pack(folder: Path) -> RulePack:
    (folder / "rules").mkdir()
    (folder / "language.yaml").write_text("particles: [nhé]\n", encoding="utf-8")
    for name, content in RULES.items():
        (folder / "rules" / name).write_text(content, encoding="utf-8")
    return load_rule_pack([folder])


def test_each_way_to_fail_is_told_with_its_line(tmp_path: Path) -> None:
    failed = [str(one).removeprefix(tmp_path.name) for one in prove_sentences(pack(tmp_path))]
    assert failed == [
        "/rules/price.yaml:9: rule 'asks for a quote': does not find its own sentence (no other rule speaks): 'hôm nay trời đẹp'",
        "/rules/price.yaml:10: rule 'asks for a quote': its sentence became complaint (beside it: 'cancels'): 'hủy báo giá'",
        "/rules/price.yaml:13: rule 'asks for a quote': finds 'bảng giá' in a sentence it must leave alone: 'gửi bảng giá'",
    ]


def test_only_the_rules_asked_for_are_proven(tmp_path: Path) -> None:
    assert prove_sentences(pack(tmp_path), lambda rule: rule.name == "cancels") == []

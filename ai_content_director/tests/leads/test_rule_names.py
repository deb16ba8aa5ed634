"""Under "Vì sao?" a rule has the name that its reader understands, and a name of strangers is text."""

from dataclasses import replace
from uuid import UUID

import pytest

from lead_signals.intent.own_rules.tenant_rules import read_tenant_rules, rule_pack_with
from lead_signals.intent.pack.rule import NAMES_OF_OTHERS
from lead_signals.intent.pack.rule_pack import packaged_rule_pack
from lead_signals.leads.lead_list import LeadPage
from lead_signals.leads.lead_page_address import LeadPageAddress
from lead_signals.leads.lead_words import LEAD_WORDS
from lead_signals.leads.render_leads import Reader, TenantLeads, render_leads
from lead_signals.leads.rule_names import OwnNames, own_names_by, shown_rule_name
from lead_signals.page_frame.language import Language
from tests.leads.page_trees import leads_in, parsed, words_of
from tests.leads.sample_leads import NOW, TENANT, sample_lead

PACKAGED, PACKAGED_VI = packaged_rule_pack().rules[0].name, str(packaged_rule_pack().rules[0].vi)
OWN = 'rules:\n- {rule: names zuka, vi: "gọi tên <b>zuka</b>", intent: inquiry, weight: 0.9, any_of: [zuka], says: [zuka], not: [a]}\n'


def reasons(rule: str, language: Language, own_names: OwnNames) -> tuple[list[str], list[str | None]]:
    """What the page says of a lead that this rule made: the reasons, and the titles of the marked words."""
    evidence = [{"rule": rule, "start": 0, "end": 4, "intent_label": "complaint"}]
    lead = replace(sample_lead(0, text="zuka tệ"), meta={"evidence": evidence})
    seen = TenantLeads(TENANT, [TENANT], LeadPage([lead], 1), {}, own_names=own_names)
    (element,) = leads_in(parsed(render_leads(seen, LeadPageAddress(tenant_id=TENANT.id), Reader(language, NOW, "http://127.0.0.1:8000"))))
    told = [" ".join(words_of(reason).split()) for reason in element.findall(".//details[@class='reason']/ul/li")]
    return told, [mark.get("title") for mark in element.iter("mark")]


@pytest.mark.parametrize(
    ("rule", "vietnamese", "english"),
    [
        (PACKAGED, PACKAGED_VI, PACKAGED),
        ("names zuka", "gọi tên <b>zuka</b>", "names zuka"),
        ("a rule of an older pack", "a rule of an older pack", "a rule of an older pack"),
        ("lead_form", "biểu mẫu khách điền", "lead form"),
        ("statistical opinion", "thống kê từ câu mẫu", "statistical opinion"),
        ("language model", "mô hình ngôn ngữ", "language model"),
    ],
)
def test_a_rule_is_called_as_its_reader_reads(rule: str, vietnamese: str, english: str) -> None:
    own_names = own_names_by(lambda tenant_id: rule_pack_with(read_tenant_rules(OWN, "v1")) if tenant_id == TENANT.id else None)
    told, titles = reasons(rule, Language.VI, own_names(TENANT.id))
    is_rule = rule not in NAMES_OF_OTHERS
    assert (told, titles) == ([f"zuka → Phàn nàn ({'quy tắc ' if is_rule else ''}{vietnamese})"], [vietnamese])
    told, titles = reasons(rule, Language.EN, own_names(TENANT.id))
    assert (told, titles) == ([f"zuka → Complaint ({'rule ' if is_rule else ''}{english})"], [english])
    assert own_names(UUID(int=7)) == {}


def test_packaged_rules_have_their_names_without_own_rules() -> None:
    assert reasons(PACKAGED, Language.VI, {})[1] == [PACKAGED_VI] != [PACKAGED]


@pytest.mark.parametrize("language", Language)
def test_a_name_from_a_row_may_be_anything_and_is_cut(language: Language) -> None:
    assert shown_rule_name("x", language, {"x": "<script>" * 1_000}) in {"x", ("<script>" * 10)}
    assert shown_rule_name("", language, {}) == ""


def test_everything_that_speaks_beside_rules_has_a_name_in_both_languages() -> None:
    for words in LEAD_WORDS.values():
        assert words.beside_rules.keys() == NAMES_OF_OTHERS

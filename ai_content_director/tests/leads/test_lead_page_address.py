"""The page's address: read with distrust, written back the same."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from lead_signals.leads.lead_page_address import LEADS_PER_PAGE, BadParameter, LeadPageAddress, read_address
from lead_signals.leads.lead_signal import LeadStatus
from lead_signals.leads.promise_follow_ups import console_url
from lead_signals.page_frame.language import Language

TENANT = UUID("01930000-0000-7000-8000-00000000a001")
LEAD = UUID("01930000-0000-7000-8000-00000000b001")


def test_the_link_in_a_follow_up_leads_to_its_lead() -> None:
    link = console_url("https://console.example/", TENANT, LEAD)
    assert link is not None
    assert read_address(QueryParams(link.partition("?")[2])) == LeadPageAddress(tenant_id=TENANT, lead_id=LEAD)


@given(
    st.builds(
        LeadPageAddress,
        tenant_id=st.none() | st.uuids(),
        status=st.none() | st.sampled_from(LeadStatus),
        page=st.integers(1, 9_999_999),
        lead_id=st.none() | st.uuids(),
    )
)
def test_what_is_written_reads_the_same(address: LeadPageAddress) -> None:
    assert read_address(QueryParams(address.written().partition("?")[2])) == address
    assert read_address(QueryParams(address.written(Language.EN).partition("?")[2])) == address


def test_empty_parameters_count_as_absent() -> None:
    assert read_address({"tenant_id": "", "status": "", "page": "", "lead": ""}) == LeadPageAddress()


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        ("tenant_id", "x"), ("tenant_id", "<script>"), ("tenant_id", "\x00"), ("tenant_id", "0193"), ("lead", "x"),
        ("lead", str(LEAD) + "0"),
        ("status", "NEW_AUTO"), ("status", "new"), ("status", "new_auto "), ("page", "0"), ("page", "-1"), ("page", "1.0"), ("page", "x"),
        ("page", "٣"), ("page", " 1"), ("page", "1_0"), ("page", "9" * 30), ("page", "00"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(parameter: str, text: str) -> None:
    with pytest.raises(BadParameter) as refused:
        read_address({parameter: text})
    assert refused.value.parameter == parameter


def test_links_of_filters_and_pages() -> None:
    here = LeadPageAddress(TENANT, LeadStatus.NEW_DRAFT, 3, LEAD)
    assert here.offset == 2 * LEADS_PER_PAGE
    assert here.in_status(None) == f"/?tenant_id={TENANT}"
    assert here.in_status(LeadStatus.WON) == f"/?tenant_id={TENANT}&status=won"
    assert here.at_page(4) == f"/?tenant_id={TENANT}&status=new_draft&page=4"
    assert here.at_page(1) == f"/?tenant_id={TENANT}&status=new_draft"

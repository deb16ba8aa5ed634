"""Rules that tenants of our tests wrote for themselves, stored and turned on as the command line does it."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.rule_packs.add_pack import add_pack
from lead_signals.rule_packs.turn_pack import turn_to
from lead_signals.tenancy.tenant_session import tenant_session
from tests.intake.open_door import execute

PRODUCT = "Chấn tôn zuka"  # no packaged rule speaks about it
OTHER_PRODUCT = "Khuôn dập miru"


def rules_naming(product: str, *, rule: str = "names our product") -> str:
    """Rules by which whoever names this product wants to buy it."""
    return f"""\
rules:
  - rule: {rule}
    intent: purchase_intent
    vi: gọi tên sản phẩm
    weight: 0.95
    any_of: [{product.lower()}]
    says: [{product}]
    not: [Xin chào]
"""


NO_LONGER_READABLE = "rules:\n  - rule: of another time\n    intent: an_intent_of_tomorrow\n"


async def store(engine: AsyncEngine, tenant_id: UUID, content: str) -> int:
    """Store these rules; their version."""
    async with tenant_session(engine, tenant_id) as session:
        return (await add_pack(session, tenant_id, content)).version


async def turn(engine: AsyncEngine, tenant_id: UUID, version: int | None) -> None:
    """Let this version judge."""
    async with tenant_session(engine, tenant_id) as session:
        await turn_to(session, tenant_id, version)


async def put_in_force(engine: AsyncEngine, tenant_id: UUID, content: str) -> int:
    """Store these rules and let them judge; their version."""
    version = await store(engine, tenant_id, content)
    await turn(engine, tenant_id, version)
    return version


async def force_unreadable(owner_address: str, tenant_id: UUID, turn_number: int = 1) -> None:
    """What an older program stored and turned to, and this one cannot read: version 99, as the next turn."""
    await execute(
        owner_address,
        f"INSERT INTO rule_packs (tenant_id, version, content) VALUES ('{tenant_id}', 99, $rules${NO_LONGER_READABLE}$rules$);"
        f"INSERT INTO rule_pack_turns (tenant_id, turn, version) VALUES ('{tenant_id}', {turn_number}, 99)",
    )

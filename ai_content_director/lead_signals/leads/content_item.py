"""A content item: the post that drew a lead. Leads join to it by `content_id`; deliveries name it by the platform's post id."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Column, DateTime, ForeignKey, Table, Text, UniqueConstraint, Uuid, func, text
from sqlalchemy.dialects.postgresql import insert

from lead_signals.database.metadata import metadata
from lead_signals.database.new_id import new_id
from lead_signals.tenancy.tenant_session import TenantSession

content_items = Table(
    "content_items",
    metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("external_post_id", Text, nullable=False),
    Column("title", Text),
    Column("permalink_url", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("tenant_id", "platform", "external_post_id"),
)

PostKey = tuple[str, str]
"""(platform, external_post_id)"""


async def content_ids_of_posts(session: TenantSession, tenant_id: UUID, posts: Mapping[PostKey, str | None]) -> dict[PostKey, UUID]:
    """The content item of each post, made where it is not known yet. `posts` maps a post to its permalink, if one was told."""
    if not posts:
        return {}
    found = await _find(session, tenant_id, posts)
    missing = [post for post in posts if post not in found]
    if missing:
        await session.execute(
            insert(content_items).on_conflict_do_nothing(index_elements=["tenant_id", "platform", "external_post_id"]),
            [
                {
                    "tenant_id": tenant_id,
                    "id": new_id(),
                    "platform": platform,
                    "external_post_id": post_id,
                    "permalink_url": posts[platform, post_id],
                }
                for platform, post_id in sorted(missing)  # one order for all: two deliveries of the same posts never deadlock
            ],
        )
        found |= await _find(session, tenant_id, missing)
    return found


async def _find(session: TenantSession, tenant_id: UUID, posts: Collection[PostKey]) -> dict[PostKey, UUID]:
    keys = list(posts)
    rows = await session.execute(
        _POSTS, {"tenant_id": tenant_id, "platforms": [platform for platform, _ in keys], "ids": [post_id for _, post_id in keys]}
    )
    return {(row.platform, row.external_post_id): row.id for row in rows}


# As text, and one text for any number of posts: it is asked for every group of deliveries.
_POSTS = text(
    """
    SELECT c.platform, c.external_post_id, c.id
    FROM unnest(CAST(:platforms AS text[]), CAST(:ids AS text[])) AS wanted (platform, external_post_id)
    JOIN content_items c ON c.tenant_id = :tenant_id AND c.platform = wanted.platform AND c.external_post_id = wanted.external_post_id
    """
).columns(content_items.c.platform, content_items.c.external_post_id, content_items.c.id)

"""What n8n remembers after a restart, and what it takes when nobody gave it a secret."""

import pytest

from tests.with_n8n.conftest import Stage
from tests.with_n8n.signed_post import OLD_SECRET, signed_post

pytestmark = pytest.mark.timeout(600)


def test_it_remembers_what_it_took_and_without_a_secret_it_takes_nothing_unless_told_to(stage: Stage) -> None:
    taken, new = signed_post(OLD_SECRET), signed_post(OLD_SECRET)
    url = stage.n8n.webhook_url
    assert taken.send(url).json()["repeat"] is False
    stage.n8n.stop()
    try:
        stage.n8n.start(WEBHOOK_SIGNING_SECRET="")
        refused = new.send(url)
        assert refused.status_code == 503
        assert "WEBHOOK_SIGNING_SECRET" in refused.json()["error"]
        assert stage.store.tasks(webhook_id=new.webhook_id) == []
        stage.n8n.stop()

        stage.n8n.start(WEBHOOK_SIGNING_SECRET="", LEAD_SIGNALS_ALLOW_UNSIGNED="true", LEAD_SIGNALS_URL="")
        again = taken.send(url)
        assert (again.status_code, again.json()["repeat"]) == (200, True)
        unsigned = signed_post().send(url)
        assert (unsigned.status_code, unsigned.json()["repeat"]) == (200, False)
        assert len(stage.store.tasks(webhook_id=taken.webhook_id)) == 1
        stage.n8n.stop()

        # With a secret, being allowed to go without one means nothing.
        stage.n8n.start(LEAD_SIGNALS_ALLOW_UNSIGNED="true")
        assert signed_post().send(url).status_code == 401
    finally:
        stage.n8n.stop()
        stage.n8n.start()

"""The one door to Graph that this installation's settings open, for whoever assembles: API, worker, command line."""

from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from lead_signals.graph_api.graph_client import GRAPH_BASE_URL, GraphClient
from lead_signals.settings import Settings


def graph_http_client() -> httpx.AsyncClient:
    """For Graph only; close it at the end. Proxy variables are not trusted, and no cookie rides from one tenant's call to the next."""
    return httpx.AsyncClient(cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])), trust_env=False, follow_redirects=False)


def app_graph(settings: Settings, client: httpx.AsyncClient) -> GraphClient:
    """Graph as our app reaches it: without an app id or secret it works, and cannot say as much."""
    secrets = settings.webhook_secrets("facebook")  # the first is the newest while two are valid
    return GraphClient(
        client,
        settings.graph_base_url or GRAPH_BASE_URL,
        app_id=settings.facebook_app_id,
        app_secret=secrets[0] if secrets else None,
    )

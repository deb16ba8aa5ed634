"""WHERE TO: the endpoints of tenants, with their sealed addresses and secrets; WEBHOOK_URL is the operator's, for whoever has none.

An endpoint is **paused** by a person or by its own 410: what is owed waits. **Rotating** its secret keeps the old one live for a while, and
every attempt is signed by both. Called by the API and the command line; the worker reads whom it may call (`known_endpoints`).
"""

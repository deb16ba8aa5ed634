"""The database: how we reach PostgreSQL, and what every slice needs of it.

Words: *engine* and *session* (a connection, a transaction), *embedded server* (PostgreSQL from the wheel, started and stopped by us),
*roles* (the owner migrates; the application role owns nothing), *lease* (claim, renew, settle, rescue of rows that are due).

Every slice above may ask for a session or a lease. Entrances alone start a server, make an engine or migrate.
It knows no tenant and no table of a slice: migrations/env.py gathers those.
"""

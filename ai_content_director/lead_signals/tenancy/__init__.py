"""WHO: a tenant (one company or one client of an agency), its brand profile, its channels, and the wall around its rows.

A function that touches a tenant's rows takes a `TenantSession`; one that may look across tenants takes an
`AcrossTenantsSession`, and that name is meant to be loud in review. Only `tenant_session.py` opens either.
"""

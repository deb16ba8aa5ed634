"""THE DOOR: a delivery comes in, is proven, read, routed to its tenants and written down in one transaction.

A **receipt** is one raw delivery, kept. `webhook_routes` is the entrance, `route_delivery` decides whose it is, `admit` writes
receipt, leads, audit events and promised follow-ups together. What could not be read is in **quarantine**; deliveries for Pages
nobody connected are **unrouted**. Conservation: items received = created + updated + duplicate + ignored + quarantined.
"""

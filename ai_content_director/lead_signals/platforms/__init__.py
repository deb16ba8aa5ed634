"""How they speak: one adapter per platform, which proves who speaks and then translates. Nothing else.

An adapter reads bytes and JSON and answers with frozen values: an *inbound signal* (somebody said something to a
*channel*), an *inbound change* (what was said was edited, removed, hidden), an *ignored item* (nobody spoke to us, and why) or
a *quarantined item* (we could not read it, and where). Every item of a delivery ends as exactly one of the four.
No database, no web framework, no settings, no network.
Called by `intake` (the door), which finds an adapter by name in `catalogue`. To add one: docs/adding_a_platform.md.
"""

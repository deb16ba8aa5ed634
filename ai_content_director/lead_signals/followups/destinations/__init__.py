"""HOW WE TELL SOMEBODY: one kind of receiver each (webhook, Slack-compatible message, e-mail), with the same three outcomes.

A destination never raises and always ends in time. Whatever it connects to has passed the guard: an address of a private network is
refused, unless the operator allows it by name. No database here.
"""

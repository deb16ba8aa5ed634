"""How Meta speaks: one signature, one handshake, and an adapter for each `object` it delivers.

`page` is a Facebook Page: comments, posts and mentions (`changes`), Messenger (`messaging`, `standby`), lead forms.
Facts about shapes and delivery: Meta's Graph webhooks and Messenger Platform documentation.
"""

"""How Meta speaks: one signature, one handshake, one envelope of entries, and an adapter for each `object` it delivers.

`page` is a Facebook Page: comments, posts and mentions (`changes`), Messenger (`messaging`, `standby`), lead forms.
`instagram` is a professional account: comments, live comments and mentions (`changes`, or flat on the entry), direct messages.
Facts about shapes and delivery: Meta's Graph webhooks, Messenger Platform and Instagram Platform documentation.
"""

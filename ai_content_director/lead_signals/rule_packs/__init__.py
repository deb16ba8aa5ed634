"""How a tenant speaks: rule packs of their own, beside the packaged rules, versioned and turned on or back.

Words owned here: stored pack, version, turn (which version judges from now on; none = the packaged rules alone), active pack.
A version is never changed; a turn is never taken back, going back is another turn. The door, `replay` and the command line ask
`ActivePacks` which rules judge a tenant's messages. The slice calls intent, tenancy, audit and database.
"""

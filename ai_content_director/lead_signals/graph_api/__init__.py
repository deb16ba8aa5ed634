"""WHAT WE ASK META: the few calls a lead needs answered (a lead form, a sender's name, a Page's token and its subscription).

Words: *graph failure* (why there is no answer, and what to do about it), *lead form*, *profile*, *page identity*, *token check*,
*usage* (how much of our call budget is spent), *pause*. `GraphClient` never raises for what the network or Graph did: callers get a frozen
value or a frozen `GraphFailure`. No database, no tenants, no settings: jobs and channel checks of the floors above hand in token and ids,
and make their calls with no transaction open.
"""

"""HOW WE ARE CONNECTED: which Pages and accounts speak to us, with which token, and whether they still do.

A **channel** (the row lies in `tenancy`) is connected by a person, with a token that is kept sealed. A **check** asks the platform
whether the token and the subscription still hold, and subscribes again. A channel that is quiet far beyond its own **habit** is told
to the operator. Called by the API, the command line and the worker; `enrichment` opens tokens here.
"""

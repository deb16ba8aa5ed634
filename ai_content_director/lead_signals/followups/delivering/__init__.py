"""HOW WE KEEP IT: claim what is due endpoint by endpoint, send with no transaction open, settle many together under fencing tokens.

A **gate** stands before each endpoint, in the memory of one worker: it opens slowly, and shuts after failures in a row, so that nobody
else waits for a receiver that is away. Called by the worker only.
"""

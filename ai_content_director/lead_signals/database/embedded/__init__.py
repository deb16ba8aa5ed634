"""The parts of the embedded server: its programs, the user who runs them, the lock, the data, the socket, the leftovers.

Words: *programs* (`postgres`, `initdb`), *cluster* (PostgreSQL's word for one data folder), *server user* (PostgreSQL refuses root),
*leftovers* (processes and lock files that an earlier server lost when it was killed).

Only `embedded_server` calls these, and nothing here knows roles, databases or tables of ours. Standard library only.
"""

"""What the product can carry on this machine, measured beside what PostgreSQL alone could carry in the same minute.

Each bench starts a clean server of its own and speaks to the product as the outside does: over HTTP, by the command line and, to look
afterwards, by the tables. `python -m bench` is the entrance (`bin/bench`); nothing of the product imports this folder.
"""

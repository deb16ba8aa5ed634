"""WHAT BECAME OF IT: the list of follow-ups with their attempts, redriving, cancelling, and the receipts that receivers send back.

"Accepted" and "done" are two facts, each with its moment; neither changes the follow-up's state, which tells of our part alone. Called by
the API, the command line and the health pages.
"""

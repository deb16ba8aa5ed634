"""Is it well? `readiness` asks the database, the migrations and the workers; the routes tell machines, `doctor` tells people.

Reads everything, writes nothing.
"""

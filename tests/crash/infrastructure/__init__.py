"""Faults of what Chronos stands on: PostgreSQL, Redis, and the network to them.

``servers`` stops, freezes and restarts the servers of the test run in place; ``proxy`` stands
between a part of the platform and a server and mistreats the bytes.
"""

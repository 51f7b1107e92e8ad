"""Replays kept in the database: queued, claimed under a lease, resumed after a crash; they know no case."""

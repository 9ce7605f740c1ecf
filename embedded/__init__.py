"""Runs the portal on a machine that has nothing but Python: set-up, servers, supervisor."""

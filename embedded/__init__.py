"""What runs the portal on a machine that has only Python: setup, servers, and a supervisor."""

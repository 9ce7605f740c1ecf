"""An outage costs its own length: nothing is counted against anyone, and the first clear answer releases everything."""

from __future__ import annotations

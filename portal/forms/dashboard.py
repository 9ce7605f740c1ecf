"""Forms of the dashboard."""

from __future__ import annotations

from flask_wtf import FlaskForm

from portal.forms.common import ReasonMixin


class RunNowForm(ReasonMixin, FlaskForm):
    """Read a store now; only support says why."""

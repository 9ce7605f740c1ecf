"""Forms on the dashboard."""

from __future__ import annotations

from flask_wtf import FlaskForm

from portal.forms.common import ReasonMixin


class RunNowForm(ReasonMixin, FlaskForm):
    """Sync a store now; only support is asked for a reason."""

"""The form with which support begins to act as a merchant."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from portal.forms.common import one_line
from portal.visits import LONGEST_REASON


class VisitForm(FlaskForm):
    reason = StringField(
        "Reason",
        [
            DataRequired("Say why. The merchant can read this in the audit trail."),
            Length(max=LONGEST_REASON, message=f"Use at most {LONGEST_REASON} characters."),
        ],
        filters=[one_line],
        description="It goes into the audit trail with everything you do, and the merchant can read it.",
        render_kw={"autocomplete": "off"},
    )

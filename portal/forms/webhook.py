"""The form of a merchant's webhook."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import Field, RadioField, StringField
from wtforms.validators import DataRequired, ValidationError

from portal import current
from portal.clients.webhook import problem_with
from portal.forms.common import ReasonMixin
from portal.models import WebhookFormat

FORMATS = {
    WebhookFormat.SLACK.value: "Slack message (also Mattermost, Rocket.Chat, Google Chat, or Discord with /slack)",
    WebhookFormat.STANDARD.value: "Signed JSON (Standard Webhooks), for your own software",
}


class WebhookForm(ReasonMixin, FlaskForm):
    url = StringField(
        "URL",
        [DataRequired("Enter the URL of the webhook.")],
        filters=[lambda text: (text or "").strip()],
        description="Starts with https://. We store it encrypted and never show it again.",
        render_kw={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"},
    )
    webhook_format = RadioField("Format", choices=FORMATS, default=WebhookFormat.SLACK.value)

    def validate_url(self, field: Field) -> None:
        is_allowed = current.settings().webhook_private_addresses == "allow"
        if problem := problem_with(field.data, private_allowed=is_allowed):
            raise ValidationError(problem)

"""The page of a merchant's webhook: where messages about incidents are posted, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, url_for

from portal import access, current, listing
from portal.actions import webhooks
from portal.crypto import SealError
from portal.forms.settings import ConfirmForm
from portal.forms.webhook import WebhookForm
from portal.messages.webhooks import shown_host
from portal.models import Channel, Message, WebhookEndpoint, WebhookFormat
from portal.page_extensions import limiter
from portal.queue import Call, JobName
from portal.wording.messages import MESSAGE_LABELS

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from sqlalchemy import Select

blueprint = Blueprint("webhook", __name__, url_prefix="/webhook")

MESSAGES_PER_PAGE = 20
TESTS = "6 per minute; 60 per hour"
"""Also of messages that are sent again: each one has us call an address that the merchant chose."""
NO_WEBHOOK = "No webhook is set yet. Enter its URL first."


@blueprint.get("")
def webhook() -> str:
    return _page(WebhookForm(formdata=None, data=_current()))


@blueprint.post("")
def save() -> ResponseReturnValue:
    form = WebhookForm()
    if not form.validate():
        return _page(form), 422
    secret = webhooks.save(
        current.session(),
        access.merchant().id,
        url=str(form.url.data),
        webhook_format=WebhookFormat(form.webhook_format.data),
        settings=current.settings(),
        **access.act(form.given_reason()),
    )
    if secret:
        return _page(WebhookForm(formdata=None, data=_current()), secret=secret)
    flash("The webhook is saved and on. Send a test to see that it works.", "success")
    return _to_page()


@blueprint.route("/secret", methods=["GET", "POST"])
def rotate_secret() -> ResponseReturnValue:
    endpoint, form = _endpoint_or_none(), ConfirmForm()
    if endpoint is None or endpoint.format is not WebhookFormat.STANDARD:
        flash("Only a webhook with signed JSON has a secret.", "info")
        return _to_page()
    if form.validate_on_submit():
        secret = webhooks.rotate_secret(
            current.session(), endpoint.merchant_id, settings=current.settings(), **access.act(form.given_reason())
        )
        return _page(WebhookForm(formdata=None, data=_current()), secret=secret)
    return render_template("webhook/secret.html", form=form, host=_host(endpoint))


@blueprint.route("/<any(on,off):what>", methods=["GET", "POST"])
def switch(what: str) -> ResponseReturnValue:
    form, is_on = ConfirmForm(), what == "on"
    endpoint = _endpoint_or_none()
    if endpoint is None:
        flash(NO_WEBHOOK, "info")
        return _to_page()
    if form.validate_on_submit():
        webhooks.switch(
            current.session(),
            endpoint.merchant_id,
            is_on=is_on,
            settings=current.settings(),
            **access.act(form.given_reason()),
        )
        flash("The webhook is on." if is_on else "The webhook is off. We don't post any messages to it.", "success")
        return _to_page()
    return render_template("webhook/switch.html", form=form, is_on=is_on, host=_host(endpoint))


@blueprint.route("/test", methods=["GET", "POST"])
@limiter.limit(TESTS, methods=["POST"])
def test() -> ResponseReturnValue:
    form, endpoint = ConfirmForm(), _endpoint_or_none()
    if endpoint is None or endpoint.disabled_at is not None:
        flash(NO_WEBHOOK if endpoint is None else "The webhook is off. Turn it on first.", "info")
        return _to_page()
    if form.validate_on_submit():
        try:
            webhooks.send_test(
                current.session(), endpoint, settings=current.settings(), **access.act(form.given_reason())
            )
        except SealError as error:
            flash(f"We couldn't send a test. {error}", "danger")
            return _to_page()
        current.wake(Call(JobName.MESSAGES))
        flash("A test message is on its way. Its result appears in the delivery log below within seconds.", "success")
        return _to_page()
    return render_template("webhook/test.html", form=form, host=_host(endpoint))


@blueprint.route("/messages/<int:message_id>/send-again", methods=["GET", "POST"])
@limiter.limit(TESTS, methods=["POST"])
def send_again(message_id: int) -> ResponseReturnValue:
    message = current.session().scalar(_messages().where(Message.id == message_id)) or abort(404)
    form = ConfirmForm()
    if form.validate_on_submit():
        if webhooks.send_again(current.session(), message, **access.act(form.given_reason())):
            current.wake(Call(JobName.MESSAGES))
            flash("The message is on its way again.", "success")
        else:
            flash("This message doesn't need to be sent again.", "info")
        return _to_page()
    return render_template("webhook/send_again.html", form=form, message=message)


def _page(form: WebhookForm, *, secret: str = "") -> str:
    endpoint = _endpoint_or_none()
    return render_template(
        "webhook/webhook.html",
        form=form,
        endpoint=endpoint,
        host=_host(endpoint) if endpoint else "",
        is_signed=endpoint is not None and endpoint.format is WebhookFormat.STANDARD,
        secret=secret,
        labels=MESSAGE_LABELS,
        page=listing.page(_messages(), Message.id, per_page=MESSAGES_PER_PAGE),
    )


def _messages() -> Select[Message]:
    return access.owned(Message).where(Message.channel == Channel.WEBHOOK)


def _endpoint_or_none() -> WebhookEndpoint | None:
    return current.session().get(WebhookEndpoint, access.merchant().id)


def _current() -> dict[str, str]:
    endpoint = _endpoint_or_none()
    return {"webhook_format": endpoint.format.value} if endpoint else {}


def _host(endpoint: WebhookEndpoint) -> str:
    return shown_host(endpoint, current.settings())


def _to_page() -> ResponseReturnValue:
    return redirect(url_for(".webhook"), 303)

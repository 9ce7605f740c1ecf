"""Sign-up, login, logout, passwords, and invitations."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user, logout_user
from flask_wtf import FlaskForm

from portal import access, current, mail
from portal.clock import utc_now
from portal.forms.auth import (
    ChangePasswordForm,
    ForgotPasswordForm,
    LogInForm,
    NewPasswordForm,
    SignUpForm,
)
from portal.forms.emails import EmailsForm
from portal.models import Merchant, User
from portal.page_extensions import limiter
from portal.people import accounts, invitations, log_ins, passwords, tokens
from portal.people.accounts import InvalidInputError
from portal.security import safe_next
from portal.views import limits
from portal.views.emails import label_of

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

log = logging.getLogger(__name__)
blueprint = Blueprint("auth", __name__)


def _viewer_key() -> str:
    return f"user:{access.viewer().id}"


@blueprint.before_request
def recognize_browser() -> None:
    if request.method == "POST" and request.endpoint in {"auth.log_in", "auth.forgot_password"}:
        limits.recognize_browser()


@blueprint.route("/log-in", methods=["GET", "POST"])
@limits.limit(limits.LOG_IN, limits.typed_email, only_failed=True)
@limits.limit_known_browsers(limits.LOG_IN_KNOWN, only_failed=True)
def log_in() -> ResponseReturnValue:
    target = safe_next(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(target, 303)
    form = LogInForm()
    if form.validate_on_submit():
        user = accounts.find_user(current.session(), str(form.email.data))
        current.session().commit()
        password = str(form.password.data)
        if passwords.is_correct(user.password_hash if user else None, password) and user is not None:
            _refresh_hash(user, password)
            _start_session(user, is_remembered=form.remember.data)
            return redirect(target, 303)
        limits.count_failure()
        flash("That email and password don't match. Check both, or reset your password.", "danger")
    return render_template("auth/log_in.html", form=form)


@blueprint.post("/log-out")
def log_out() -> ResponseReturnValue:
    log_ins.end(current.session(), access.viewer())
    session.clear()
    logout_user()
    flash("You're logged out.", "info")
    return redirect(url_for("home.home"), 303)


@blueprint.post("/account/log-out-elsewhere")
def log_out_elsewhere() -> ResponseReturnValue:
    log_ins.end_others(current.session(), access.viewer())
    flash("You've been logged out everywhere else.", "success")
    return redirect(url_for(".account"), 303)


@blueprint.route("/sign-up", methods=["GET", "POST"])
@limits.limit(limits.SIGN_UP, limits.typed_merchant_id)
def sign_up() -> ResponseReturnValue:
    """Check the credentials with the FCP first, so only someone who has them can learn who has an account here."""
    if current_user.is_authenticated:
        return redirect(url_for("home.home"), 303)
    form = SignUpForm()
    if form.validate_on_submit():
        credentials = form.credentials(form.merchant_id.data or 0)
        current.session().commit()
        try:
            accounts.check_credentials(credentials, current.settings())
            user = accounts.sign_up(
                current.session(),
                email=str(form.email.data),
                password_hash=passwords.hashed(str(form.password.data)),
                credentials=credentials,
                settings=current.settings(),
                now=utc_now(),
            )
        except InvalidInputError as error:
            show_error(form, error)
        else:
            _start_session(user)
            flash(
                "Welcome. The warehouse accepted your Merchant Id and Token. "
                "We'll check the Merchant Name with a test order. Next, connect your Big Cartel store.",
                "success",
            )
            return redirect(url_for("home.home"), 303)
    return render_template("auth/sign_up.html", form=form)


@blueprint.route("/account", methods=["GET", "POST"])
@limiter.limit(limits.CHANGES, key_func=_viewer_key, methods=["POST"])
def account() -> ResponseReturnValue:
    user = access.viewer()
    merchant = current.session().get(Merchant, user.merchant_id) if user.merchant_id is not None else None
    form = ChangePasswordForm(user.email)
    if form.validate_on_submit():
        current.session().commit()
        is_correct = passwords.is_correct(user.password_hash, str(form.present.data))
        if is_correct and accounts.replace_password(
            current.session(), user, str(form.password.data), action="password changed", now=utc_now()
        ):
            _start_session(user, is_remembered="remember_token" in request.cookies)
            flash("Password changed. You've been logged out everywhere else.", "success")
            return redirect(url_for(".account"), 303)
        form.present.errors = ["That isn't your current password."]
    others = log_ins.count_others(current.session(), user, utc_now())
    return render_template(
        "auth/account.html",
        form=form,
        merchant=merchant,
        others=others,
        emails_form=EmailsForm(formdata=None, alerts=user.alerts.value),
        muted=[(kind, label_of(kind)) for kind in user.muted],
    )


@blueprint.route("/forgot-password", methods=["GET", "POST"])
@limits.limit(limits.RESET, limits.typed_email)
@limits.limit_known_browsers(limits.RESET_KNOWN)
def forgot_password() -> ResponseReturnValue:
    """Respond identically and equally fast for every address: any email is sent after the response."""
    form = ForgotPasswordForm()
    if form.validate_on_submit():
        answer = redirect(url_for(".forgot_password", sent=1), 303)
        user = accounts.find_user(current.session(), str(form.email.data))
        if user is not None:
            _mail_reset_link_after(answer, user)
        return answer
    return render_template("auth/forgot_password.html", form=form, sent="sent" in request.args)


@blueprint.route("/reset-password/<token>", methods=["GET", "POST"])
@limiter.limit(limits.LINKS, methods=["POST"])
def reset_password(token: str) -> ResponseReturnValue:
    secret = current.settings().secret_key
    user = tokens.user_of_reset(token, secret, lambda user_id: current.session().get(User, user_id))
    if user is None:
        return render_template("auth/invalid_link.html", kind="reset"), 404
    form = NewPasswordForm(user.email)
    if form.validate_on_submit():
        if not accounts.replace_password(
            current.session(), user, str(form.password.data), action="password reset", now=utc_now()
        ):
            return render_template("auth/invalid_link.html", kind="reset"), 404
        session.clear()
        logout_user()
        limits.remember_browser(user)
        flash("Your new password is set. Log in with it.", "success")
        return redirect(url_for(".log_in"), 303)
    return render_template("auth/reset_password.html", form=form, email=user.email)


@blueprint.route("/invitation/<token>", methods=["GET", "POST"])
@limiter.limit(limits.LINKS, methods=["POST"])
def accept_invitation(token: str) -> ResponseReturnValue:
    invitation_id = tokens.invitation_id_in(token, current.settings().secret_key)
    found = invitations.find_open(current.session(), invitation_id, utc_now()) if invitation_id else None
    if found is None:
        return render_template("auth/invalid_link.html", kind="invitation"), 404
    invitation, merchant = found
    form = NewPasswordForm(invitation.email)
    if form.validate_on_submit():
        current.session().commit()
        try:
            user = accounts.add_user(
                current.session(),
                email=invitation.email,
                password_hash=passwords.hashed(str(form.password.data)),
                merchant_id=merchant.id,
                action=invitations.ACCEPTED,
                now=utc_now(),
            )
        except InvalidInputError:
            return render_template("auth/invalid_link.html", kind="invitation"), 404
        _start_session(user)
        flash(f"Welcome. You now have full access to {merchant.name}.", "success")
        return redirect(url_for("home.home"), 303)
    return render_template("auth/accept_invitation.html", form=form, invitation=invitation, merchant=merchant)


def show_error(form: FlaskForm, error: InvalidInputError) -> None:
    """Show the error beside its field, or at the top of the page if it concerns no single field."""
    if error.field:
        form[error.field].errors = [str(error)]
    else:
        flash(str(error), "danger")


def link_in_mail(endpoint: str, token: str) -> str:
    """Return a link for an email. Its host comes from the settings, never from the request's Host header."""
    return current.settings().public_url + url_for(endpoint, token=token)


def _start_session(user: User, *, is_remembered: bool = False) -> None:
    """Log in with a new session that keeps nothing from the old one, and mark the browser as known."""
    if current_user.is_authenticated:
        log_ins.end(current.session(), access.viewer())
    log_ins.start(current.session(), user, is_remembered=is_remembered, now=utc_now())
    session.clear()
    login_user(user, remember=is_remembered, duration=log_ins.REMEMBERED_FOR)
    limits.remember_browser(user)


def _refresh_hash(user: User, password: str) -> None:
    if passwords.is_outdated(user.password_hash):
        renewed = passwords.hashed(password)
        user.password_hash = renewed
        current.session().commit()


def _mail_reset_link_after(answer: ResponseReturnValue, user: User) -> None:
    settings, to = current.settings(), user.email
    link = link_in_mail(".reset_password", tokens.reset_token(user, settings.secret_key))
    text = render_template("auth/mail_reset.txt", link=link)

    def send() -> None:
        try:
            mail.send(settings, to=to, subject="Reset your password", text=text)
        except mail.MailError:
            log.warning("auth.reset_not_mailed")  # without the error: its cause may contain the address

    answer.call_on_close(send)  # type: ignore[union-attr]  # always a Response here, never a plain string

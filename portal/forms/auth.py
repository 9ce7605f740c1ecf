"""Forms for sign-up, login and passwords."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, PasswordField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from portal.clients.fcp import Credentials
from portal.forms.common import MerchantIdField, one_line
from portal.people import passwords
from portal.people.accounts import MAX_ADDRESS, is_address

PASSWORD_HINT = f"Use at least {passwords.MIN_LENGTH} characters. A few random words are easy to remember."
_NEW = {"autocomplete": "new-password", "minlength": passwords.MIN_LENGTH}


def address(text: str | None) -> str:
    return one_line(text).lower()


def secret(text: str | None) -> str:
    """Strip the spaces and line breaks that get copied along with a secret."""
    return (text or "").strip()


def email_field(*, description: str = "", autocomplete: str = "username") -> StringField:
    return StringField(
        "Email",
        [DataRequired("Enter an email address.")],
        filters=[address],
        render_kw={"type": "email", "autocomplete": autocomplete, "maxlength": MAX_ADDRESS},
        description=description,
    )


def check_address(_form: FlaskForm, field: Field) -> None:
    if not is_address(field.data):
        raise ValidationError("This isn't an email address. Enter one like name@example.com.")


class CredentialsMixin:
    """Merchant Name and Merchant Token fields, named as in the FCP."""

    merchant_name = StringField(
        "Merchant Name",
        [DataRequired("Enter the Merchant Name."), Length(max=200, message="Use at most 200 characters.")],
        filters=[one_line],
        description="Exactly as the Fulfillment Control Panel shows it. It's part of every order we send.",
        render_kw={"autocomplete": "organization", "maxlength": 200},
    )
    merchant_token = PasswordField(
        "Merchant Token",
        [DataRequired("Enter the Merchant Token."), Length(max=500, message="Use at most 500 characters.")],
        filters=[secret],
        description="We check it with the warehouse, store it encrypted, and never show it again.",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )

    def validate_merchant_token(self, field: Field) -> None:
        if not field.data.isprintable():
            raise ValidationError("This contains a character that can't be part of a token. Copy the token again.")

    def credentials(self, merchant_id: int) -> Credentials:
        return Credentials(str(merchant_id), str(self.merchant_name.data), str(self.merchant_token.data))


class SignUpForm(CredentialsMixin, FlaskForm):
    email = email_field()
    password = PasswordField(
        "Password", [InputRequired("Choose a password.")], description=PASSWORD_HINT, render_kw=_NEW
    )
    merchant_id = MerchantIdField(
        "Merchant Id",
        [InputRequired("Enter the Merchant Id, a whole number.")],
        description="A whole number, for example 816.",
        render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": 10},
    )

    def validate_email(self, field: Field) -> None:
        check_address(self, field)

    def validate_password(self, field: Field) -> None:
        check_new_password(field, str(self.email.data))


class LogInForm(FlaskForm):
    email = email_field()
    password = PasswordField(
        "Password", [InputRequired("Enter your password.")], render_kw={"autocomplete": "current-password"}
    )
    remember = BooleanField("Keep me logged in on this device for 30 days")


class ForgotPasswordForm(FlaskForm):
    email = email_field(description="The address you log in with.")

    def validate_email(self, field: Field) -> None:
        check_address(self, field)


class NewPasswordForm(FlaskForm):
    """A new password for the person with this email address."""

    password = PasswordField(
        "New password", [InputRequired("Choose a password.")], description=PASSWORD_HINT, render_kw=_NEW
    )

    def __init__(self, email: str) -> None:
        super().__init__()
        self.email = email

    def validate_password(self, field: Field) -> None:
        check_new_password(field, self.email)


class ChangePasswordForm(NewPasswordForm):
    present = PasswordField(
        "Current password",
        [InputRequired("Enter your current password.")],
        render_kw={"autocomplete": "current-password"},
    )


def check_new_password(field: Field, email: str) -> None:
    """Raise ValidationError if the password doesn't meet the rules."""
    if problem := passwords.problem_with(field.data or "", email):
        raise ValidationError(problem)

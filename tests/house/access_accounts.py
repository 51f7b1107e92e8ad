"""The same for the addresses that allauth brings along: who gets in by looking, and who by sending the form unfilled.

Everybody of the cast has given their password moments ago, so that no page asks for it again; rhea has a passkey and
recovery codes. Further answers: x this method is not taken.
"""

from __future__ import annotations

from tests.house.access_matrix import ACCOUNT, PUBLIC

#            nobody eve rhea  theo mina olga lena finn pia aud ada
OWN_KEY = "    s     –   I     –    –    –    –    –    –   –   –"
NEVER = "      x     x   x     x    x    x    x    x    x   x   x"
SIGNED_IN_X = "s     x   x     x    x    x    x    x    x   x   x"
NONE_X = "     s     –   x     –    –    –    –    –    –   –   –"
NONE_YET = "   s     –   –     –    –    –    –    –    –   –   –"

ROWS: dict[str, tuple[str, str]] = {
    "account_login": (PUBLIC, PUBLIC),
    "account_logout": (PUBLIC, PUBLIC),
    "account_inactive": (PUBLIC, NEVER),
    "account_signup": (PUBLIC, PUBLIC),
    "account_reauthenticate": (ACCOUNT, ACCOUNT),
    "account_email": (ACCOUNT, ACCOUNT),
    "account_email_verification_sent": (ACCOUNT, ACCOUNT),
    "account_change_password": (ACCOUNT, ACCOUNT),
    "account_set_password": (ACCOUNT, ACCOUNT),
    "account_reset_password": (PUBLIC, PUBLIC),
    "account_confirm_login_code": (ACCOUNT, ACCOUNT),
    "account_reset_password_done": (PUBLIC, NEVER),
    "account_reset_password_from_key": (PUBLIC, PUBLIC),
    "account_reset_password_from_key_done": (PUBLIC, NEVER),
    "mfa_index": (ACCOUNT, SIGNED_IN_X),
    "mfa_authenticate": (ACCOUNT, ACCOUNT),
    "mfa_reauthenticate": (ACCOUNT, ACCOUNT),
    "mfa_activate_totp": (ACCOUNT, ACCOUNT),
    "mfa_deactivate_totp": (NONE_YET, NONE_YET),
    "mfa_view_recovery_codes": (OWN_KEY, SIGNED_IN_X),
    "mfa_generate_recovery_codes": (ACCOUNT, ACCOUNT),
    "mfa_download_recovery_codes": (OWN_KEY, NONE_X),
    "mfa_list_webauthn": (ACCOUNT, SIGNED_IN_X),
    "mfa_add_webauthn": (ACCOUNT, ACCOUNT),
    "mfa_reauthenticate_webauthn": (ACCOUNT, ACCOUNT),
    "mfa_remove_webauthn": (OWN_KEY, OWN_KEY),
    "mfa_edit_webauthn": (OWN_KEY, OWN_KEY),
    "mfa_login_webauthn": (ACCOUNT, ACCOUNT),
}
"""Name → who gets in by GET, who by POST."""

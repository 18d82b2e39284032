"""The authorization matrix: every address by its name, and who gets what there.

An address that is not declared here fails the suite, so a new page cannot be forgotten.
"""

from enum import Enum


class Audience(Enum):
    """Who gets more than the way to the sign-in page."""

    ANYBODY = "whoever asks, signed in or not"
    MACHINE = "whoever asks from this machine or shows the token"
    PERSON = "whoever is signed in, about themselves"
    ORGANIZATION = "members, what their duty allows within their organization; for others it does not exist"
    RECORDS_ROOM = "members with a duty, scoped to what they may see"


MATRIX: dict[str, Audience] = {
    "health_live": Audience.ANYBODY,
    "health_ready": Audience.ANYBODY,
    "metrics": Audience.MACHINE,
    # Signing in, before it is known who asks
    "account_login": Audience.ANYBODY,
    "account_logout": Audience.ANYBODY,
    "account_inactive": Audience.ANYBODY,
    "account_signup": Audience.ANYBODY,
    "account_email_verification_sent": Audience.ANYBODY,
    "account_confirm_email": Audience.ANYBODY,
    "account_confirm_login_code": Audience.ANYBODY,
    "account_reset_password": Audience.ANYBODY,
    "account_reset_password_done": Audience.ANYBODY,
    "account_reset_password_from_key": Audience.ANYBODY,
    "account_reset_password_from_key_done": Audience.ANYBODY,
    "mfa_authenticate": Audience.ANYBODY,
    "mfa_login_webauthn": Audience.ANYBODY,
    # One's own ways of signing in
    "account_email": Audience.PERSON,
    "account_change_password": Audience.PERSON,
    "account_set_password": Audience.PERSON,
    "account_reauthenticate": Audience.PERSON,
    "mfa_index": Audience.PERSON,
    "mfa_reauthenticate": Audience.PERSON,
    "mfa_reauthenticate_webauthn": Audience.PERSON,
    "mfa_activate_totp": Audience.PERSON,
    "mfa_deactivate_totp": Audience.PERSON,
    "mfa_view_recovery_codes": Audience.PERSON,
    "mfa_generate_recovery_codes": Audience.PERSON,
    "mfa_download_recovery_codes": Audience.PERSON,
    "mfa_list_webauthn": Audience.PERSON,
    "mfa_add_webauthn": Audience.PERSON,
    "mfa_edit_webauthn": Audience.PERSON,
    "mfa_remove_webauthn": Audience.PERSON,
    # The pages
    "home": Audience.PERSON,
    "switch_organization": Audience.ORGANIZATION,
    "team": Audience.ORGANIZATION,
    "iam_user": Audience.ORGANIZATION,
    "iam_user_facts": Audience.ORGANIZATION,
    "iam_user_state": Audience.ORGANIZATION,
    "create_iam_user": Audience.ORGANIZATION,
    "create_iam_user_fields": Audience.ORGANIZATION,
    "tag_iam_user": Audience.ORGANIZATION,
    "add_to_group": Audience.ORGANIZATION,
    "remove_from_group": Audience.ORGANIZATION,
    "delete_iam_user": Audience.ORGANIZATION,
    "refresh_iam_user": Audience.ORGANIZATION,
    "assign_iam_users": Audience.ORGANIZATION,
    "create_console_access": Audience.ORGANIZATION,
    "reset_console_access": Audience.ORGANIZATION,
    "remove_console_access": Audience.ORGANIZATION,
    "create_access_key": Audience.ORGANIZATION,
    # Of a secret its recipient alone sees anything.
    "secret": Audience.ORGANIZATION,
    "open_secret": Audience.ORGANIZATION,
    "ownership": Audience.ORGANIZATION,
    "set_tag_names": Audience.ORGANIZATION,
    "apply_ownership_rules": Audience.ORGANIZATION,
    "create_ownership_rule": Audience.ORGANIZATION,
    "change_ownership_rule": Audience.ORGANIZATION,
    "move_ownership_rule": Audience.ORGANIZATION,
    "delete_ownership_rule": Audience.ORGANIZATION,
    "accounts": Audience.ORGANIZATION,
    "account": Audience.ORGANIZATION,
    "account_progress": Audience.ORGANIZATION,
    "connect_account": Audience.ORGANIZATION,
    "refresh_account": Audience.ORGANIZATION,
    "set_pace": Audience.ORGANIZATION,
    "drift": Audience.ORGANIZATION,
    "drift_past": Audience.ORGANIZATION,
    "adopt_drift": Audience.ORGANIZATION,
    "revert_drift": Audience.ORGANIZATION,
    "connection": Audience.ORGANIZATION,
    "connection_progress": Audience.ORGANIZATION,
    "test_connection": Audience.ORGANIZATION,
    "role_document": Audience.ORGANIZATION,
    "put_embedded_role": Audience.ORGANIZATION,
    "discovered_accounts": Audience.ORGANIZATION,
    "discovery_progress": Audience.ORGANIZATION,
    "discover_accounts": Audience.ORGANIZATION,
    "connect_accounts": Audience.ORGANIZATION,
    "test_new_connections": Audience.ORGANIZATION,
    "stack_set": Audience.ORGANIZATION,
    "put_embedded_roles": Audience.ORGANIZATION,
    "deliveries": Audience.ORGANIZATION,
    "delivery": Audience.ORGANIZATION,
    "delivery_facts": Audience.ORGANIZATION,
    "try_again": Audience.ORGANIZATION,
    "give_up": Audience.ORGANIZATION,
    "ledger": Audience.ORGANIZATION,
    "export_ledger": Audience.ORGANIZATION,
    "entry": Audience.ORGANIZATION,
    # Django's admin decides row by row, in accounts/access.py
    "admin:*": Audience.RECORDS_ROOM,
}

"""allauth's hooks about second factors."""

from allauth.mfa.adapter import DefaultMFAAdapter

from portal.secrets import keys


class MFAAdapter(DefaultMFAAdapter):
    """Keeps TOTP seeds and recovery codes encrypted: allauth would store them in clear."""

    def encrypt(self, text: str) -> str:
        return keys.encrypt_at_rest(text, context="mfa")

    def decrypt(self, encrypted_text: str) -> str:
        return keys.decrypt_at_rest(encrypted_text, context="mfa").decode()

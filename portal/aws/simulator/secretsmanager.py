"""Secrets Manager of the embedded AWS: the current version is the one that bears the label, and no other."""

from moto.secretsmanager.models import ReplicaSecret
from moto.secretsmanager.responses import SecretsManagerResponse

CURRENT = "AWSCURRENT"


class SecretsManager(SecretsManagerResponse):
    """Moto's Secrets Manager. It forgets the current version when the label is moved, and the next one goes wrong."""

    def update_secret_version_stage(self) -> str:
        """Move a label from one version to another."""
        answer: str = super().update_secret_version_stage()
        secret = self.backend.secrets[self._get_param("SecretId")]
        if not isinstance(secret, ReplicaSecret):
            bearing = [version for version, held in secret.versions.items() if CURRENT in held["version_stages"]]
            secret.default_version_id = bearing[0]
        return answer

"""Customer managed policies."""

from django.db import models

from accounts.models.facts import FactFromAWS, source_and_time_go_together


class IAMPolicy(FactFromAWS):
    """What AWS holds of one customer managed policy; `document` is its default version's."""

    policy_name = models.CharField(max_length=128)
    path = models.CharField(max_length=512, default="/")
    policy_id = models.CharField("unique ID", max_length=128)
    arn = models.CharField(max_length=2048)
    default_version_id = models.CharField(max_length=32, blank=True, default="")
    document = models.JSONField(default=dict, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "IAM policy"
        verbose_name_plural = "IAM policies"
        constraints = [
            models.UniqueConstraint(fields=["account", "policy_id"], name="iam_policy_id_once"),
            source_and_time_go_together("iam_policy_source_and_time"),
        ]

    def __str__(self) -> str:
        return self.policy_name

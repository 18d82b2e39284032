"""What people fill in about access keys: how long they may serve, and why many of them change."""

from __future__ import annotations

from django import forms

from accounts.models.organization import ROTATE_AFTER_AT_LEAST, ROTATE_AFTER_AT_MOST, ROTATE_AFTER_BOUNDS


class RotationRuleForm(forms.Form):
    """After how many days access keys are to be rotated, and why."""

    rotate_after_days = forms.IntegerField(
        label="Rotate after, in days",
        min_value=ROTATE_AFTER_AT_LEAST,
        max_value=ROTATE_AFTER_AT_MOST,
        help_text=f"From {ROTATE_AFTER_AT_LEAST} to {ROTATE_AFTER_AT_MOST}. The CIS benchmark says 90 or less.",
        error_messages={"min_value": ROTATE_AFTER_BOUNDS, "max_value": ROTATE_AFTER_BOUNDS},
    )
    reason = forms.CharField(label="Reason", max_length=2000, required=False, help_text="Kept in the ledger.")

"""Duties: what a membership lets one do."""

from django.db import models


class Duty(models.TextChoices):
    """What a membership lets one do; `access.py` says what that is."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    LEAD = "lead", "Lead"
    HELPDESK = "helpdesk", "Helpdesk"
    AUDITOR = "auditor", "Auditor"
    MEMBER = "member", "Member"


# Duties whose sight is the whole organization; the others see their teams or what is theirs.
SEE_THE_ORGANIZATION = frozenset({Duty.OWNER, Duty.ADMIN, Duty.HELPDESK, Duty.AUDITOR})

"""What a test of a connection asks AWS: is the portal let in, is nobody else, and may it do there what it must.

That AWS refuses what it should refuse is believed only where it says so: a call that was throttled or lost proves
nothing. IAM User Guide, "Access to AWS accounts owned by third parties": a role that can be assumed without its
external id, or with any, opens its account to whoever else the hub works for.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from accounts.delivery.held import door_of
from accounts.models import Account
from portal.aws import connect, errors, pace, permissions
from portal.aws.permissions import Question
from portal.aws.sts import CallerIdentity

SESSION_NAME = "gatehouse-test"
# The shortest that AWS takes: a session that should not have been given ends soon.
SESSION_SECONDS = 900
DENIED = "AccessDenied"
# For all calls of one test together: a person waits for it.
PATIENCE_SECONDS = 30.0

TRY_AGAIN = "{} This says nothing about the account: try again in a minute."
OPEN_WITHOUT = (
    "AWS let the portal in without the external ID, so anybody who can have the portal name this role gets in too. "
    "Add the condition StringEquals on sts:ExternalId with the external ID shown here to the role's trust policy; then "
    "test again."
)
OPEN_WITH_ANOTHER = (
    "AWS let the portal in with another external ID than this account's. In the role's trust policy the condition must "
    "be StringEquals on sts:ExternalId with exactly the external ID shown here, without wildcards and without others; "
    "then test again."
)


class Outcome(StrEnum):
    """What came of one check."""

    PASSED = "passed"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    UNCLEAR = "unclear"
    LEFT_OUT = "left out"


class Verdict(StrEnum):
    """What the whole test says of the account."""

    PASSED = "passed"
    # The role is there and must not be used as it is.
    REFUSED = "refused"
    # AWS does not let the portal in.
    SHUT = "shut"
    # Something else must be mended first, or AWS could not answer.
    FAILED = "failed"


@dataclass(frozen=True)
class Check:
    """One check: `missing` are the actions that the role does not allow."""

    name: str
    outcome: Outcome
    words: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What a test found; `words` say what is wrong and what to do, and are empty where it passed."""

    verdict: Verdict
    words: str
    checks: tuple[Check, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The actions that the role does not allow."""
        return tuple(action for check in self.checks for action in check.missing)


class NotPassed(Exception):
    """A check did not pass, and the ones after it are left out; its text says what is wrong and what to do."""

    def __init__(self, verdict: Verdict, words: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(words)
        self.verdict = verdict
        self.missing = missing


def examine(account: Account) -> Finding:
    """Carry out the checks in turn, up to the first that does not pass."""
    # A session that is kept would say that the door is open when it was shut since.
    connect.forget(door_of(account))
    checks: list[Check] = []
    verdict, words = Verdict.PASSED, ""
    with pace.turn(is_urgent=True, seconds=PATIENCE_SECONDS):
        for name, ask in CHECKS:
            if verdict is not Verdict.PASSED:
                checks.append(Check(name, Outcome.LEFT_OUT))
                continue
            check, verdict = _checked(name, ask, account)
            checks.append(check)
            words = check.words if verdict is not Verdict.PASSED else ""
    return Finding(verdict=verdict, words=words, checks=tuple(checks))


def _checked(name: str, ask: Callable[[Account], Check], account: Account) -> tuple[Check, Verdict]:
    try:
        return ask(account), Verdict.PASSED
    except NotPassed as refusal:
        return Check(name, Outcome.FAILED, str(refusal), refusal.missing), refusal.verdict
    except errors.TryLater as error:
        return Check(name, Outcome.UNCLEAR, TRY_AGAIN.format(error)), Verdict.FAILED
    except errors.AWSError as error:
        return Check(name, Outcome.FAILED, str(error)), Verdict.FAILED


def _passed(name: str, words: str) -> Check:
    return Check(name, Outcome.PASSED, words)


def check_hub(_account: Account) -> Check:
    """The portal itself must not work as anybody's root: a leak of it could not be bounded."""
    identity = connect.hub_sts().get_caller_identity()
    if is_root(identity):
        raise NotPassed(
            Verdict.FAILED,
            f"The portal's own AWS credentials are those of the root user of account {identity.account}. Whoever runs "
            "the portal must give it a role or a user of its own, and delete root's access key.",
        )
    return _passed(HUB, "The portal has an identity of its own in AWS, and it is not a root user.")


def check_entry(account: Account) -> Check:
    """With the external id the portal gets in."""
    try:
        connect.sts(door_of(account)).get_caller_identity()
    except errors.Denied as error:
        if (error.operation, error.code) != ("AssumeRole", DENIED):
            raise
        raise NotPassed(Verdict.SHUT, _shut(account)) from None
    return _passed(ENTRY, "AWS let the portal into the role with the external ID.")


def _shut(account: Account) -> str:
    hub = f" {settings.HUB_PRINCIPAL_ARN}" if settings.HUB_PRINCIPAL_ARN else " the portal"
    return (
        f"AWS did not let the portal into {account.role_arn}. Check that {account.account_id} is the account's number, "
        f"that the role is there under this name, and that it trusts{hub} with the external ID shown here. A role that "
        "was just made or changed needs up to a minute; then test again."
    )


def check_identity(account: Account) -> Check:
    """Inside, the portal is where it believes to be, and who."""
    judge(account, connect.sts(door_of(account)).get_caller_identity())
    return _passed(IDENTITY, f"The portal is in account {account.account_id}, in a session of the role.")


def judge(account: Account, identity: CallerIdentity) -> None:
    """Return when the identity is a session of a role in this account.

    :raises NotPassed: for root, for any other identity, and for another account.
    """
    if is_root(identity):
        words = "The portal came in as the account's root user. It never works as root: give it the role shown here."
        raise NotPassed(Verdict.REFUSED, words)
    if identity.account != account.account_id:
        raise NotPassed(
            Verdict.REFUSED,
            f"The role leads into account {identity.account}, not into {account.account_id}. Connect "
            f"{identity.account} under its own number instead.",
        )
    if ":assumed-role/" not in identity.arn:
        raise NotPassed(Verdict.REFUSED, f"The portal came in as {identity.arn}, which is not a session of a role.")


def is_root(identity: CallerIdentity) -> bool:
    """Whether these are credentials of a root user (IAM User Guide, "IAM identifiers")."""
    return identity.arn.endswith(":root")


def check_no_entry_without(account: Account) -> Check:
    """Without the external id AWS must refuse."""
    _require_shut(account, None, OPEN_WITHOUT)
    return _passed(NO_ENTRY_WITHOUT, "Without the external ID AWS refused.")


def check_no_entry_with_another(account: Account) -> Check:
    """With any other external id AWS must refuse too."""
    _require_shut(account, secrets.token_urlsafe(24), OPEN_WITH_ANOTHER)
    return _passed(NO_ENTRY_WITH_ANOTHER, "With another external ID AWS refused.")


def _require_shut(account: Account, external_id: str | None, words: str) -> None:
    try:
        connect.hub_sts().assume_role(
            role_arn=account.role_arn,
            role_session_name=SESSION_NAME,
            external_id=external_id,
            duration_seconds=SESSION_SECONDS,
        )
    except errors.Denied as error:
        # Any other denial is about the portal's own credentials and says nothing about the role.
        if error.code == DENIED:
            return
        raise
    raise NotPassed(Verdict.REFUSED, words)


def check_reads(account: Account) -> Check:
    """Without the reads the account cannot be imported."""
    missing = _missing(account, [Question("*", permissions.READS)])
    if missing:
        words = "The role lacks permissions without which the account cannot be read. Put its policy in place as shown."
        raise NotPassed(Verdict.FAILED, words, missing)
    return _passed(READS, f"The role allows all {len(permissions.READS)} actions that read the account.")


def check_changes(account: Account) -> Check:
    """What is missing here stops some decisions, and not the connection."""
    questions = permissions.questions_about_changes(partition=account.partition, account_id=account.account_id)
    missing = _missing(account, questions)
    if missing:
        words = "The role lacks some permissions; what needs them will get stuck. Put its policy in place as shown."
        return Check(CHANGES, Outcome.INCOMPLETE, words, missing)
    asked = sum(len(question.actions) for question in questions)
    return _passed(CHANGES, f"The role allows all {asked} actions that change IAM users.")


def _missing(account: Account, questions: Iterable[Question]) -> tuple[str, ...]:
    iam = connect.iam(door_of(account))
    try:
        results = [
            result
            for question in questions
            for result in iam.simulate_principal_policy(
                policy_source_arn=account.role_arn,
                action_names=question.actions,
                resource_arns=[question.resource_arn],
            )
        ]
    except errors.Denied as error:
        words = f"The role may not ask what it is allowed: it needs {permissions.SELF_TEST} on itself."
        raise NotPassed(
            Verdict.FAILED, f"{words} Put its policy in place as shown. {error}", (permissions.SELF_TEST,)
        ) from None
    return tuple(result.eval_action_name for result in results if not result.is_allowed)


HUB = "The portal's own credentials"
ENTRY = "Entry with the external ID"
IDENTITY = "Account number and identity"
NO_ENTRY_WITHOUT = "No entry without the external ID"
NO_ENTRY_WITH_ANOTHER = "No entry with another external ID"
READS = "Permissions to read"
CHANGES = "Permissions to change"

CHECKS: tuple[tuple[str, Callable[[Account], Check]], ...] = (
    (HUB, check_hub),
    (ENTRY, check_entry),
    (IDENTITY, check_identity),
    (NO_ENTRY_WITHOUT, check_no_entry_without),
    (NO_ENTRY_WITH_ANOTHER, check_no_entry_with_another),
    (READS, check_reads),
    (CHANGES, check_changes),
)

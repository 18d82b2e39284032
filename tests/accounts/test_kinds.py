"""The kinds of entry: each has words, and each that must reach AWS has somebody who carries it."""

import re

import pytest

from accounts import delivery
from accounts.kinds import IN_WORDS, Kind, in_words
from portal.ledger import handlers

GRAMMAR = re.compile(r"accounts\.[a-z_]+\.[a-z_]+")
# These change nothing in AWS by themselves.
STAY_HERE = {
    "accounts.organization.created",
    "accounts.account.connected",
    "accounts.account.connection_tested",
    "accounts.account.refused",
    "accounts.account.pace_set",
    "accounts.iam_user.assigned",
    "accounts.secret.opened",
    "accounts.secret.asked_again",
    "accounts.secret.handed_over",
    "accounts.ownership_rule.created",
    "accounts.ownership_rule.changed",
    "accounts.ownership_rule.moved",
    "accounts.ownership_rule.deleted",
    "accounts.ownership_rule.applied",
    "accounts.organization.tag_names_set",
    "accounts.ledger.exported",
    "accounts.bulk.started",
    "accounts.iam_user.exported",
    "accounts.drift.adopted",
    "accounts.delivery.retried",
    "accounts.delivery.given_up",
    "accounts.person.invited",
    "accounts.invitation.accepted",
    "accounts.invitation.revoked",
    "accounts.membership.granted",
    "accounts.membership.ended",
    "accounts.team.created",
    "accounts.team.renamed",
    "accounts.envelope.changed",
    "accounts.offboarding.started",
    "accounts.offboarding.undone",
    "accounts.request.made",
    "accounts.request.approved",
    "accounts.request.declined",
    "accounts.request.withdrawn",
    "accounts.request.expired",
    "accounts.request.lapsed",
    "accounts.group_grant.made",
    "accounts.group_grant.extended",
    "accounts.group_grant.ended",
    "accounts.rotation.proven",
    "accounts.rotation.ended",
    "accounts.key_destination.set",
    "accounts.key_destination.ended",
    "accounts.access_key.snoozed",
    "accounts.calendar.made",
    "accounts.calendar.ended",
    "accounts.organization.rotation_rule_set",
    "accounts.rotation.asked_for",
}


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_has_the_grammar_and_words(kind: Kind) -> None:
    assert GRAMMAR.fullmatch(kind)
    assert IN_WORDS[kind][0].isupper()
    assert in_words(kind) == IN_WORDS[kind]


def test_words_are_of_one_kind_only() -> None:
    assert len(set(IN_WORDS.values())) == len(IN_WORDS) == len(Kind)


def test_a_kind_of_another_app_is_shown_as_it_is() -> None:
    assert in_words("federation.session.opened") == "federation.session.opened"


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_that_must_reach_aws_has_a_handler(kind: Kind) -> None:
    assert (handlers.handler_of(kind) is None) == (kind in STAY_HERE)
    assert (kind in delivery.HANDLERS) == (kind not in STAY_HERE)


def test_registering_twice_is_harmless_and_another_handler_is_refused() -> None:
    delivery.register_handlers()

    with pytest.raises(handlers.AlreadyRegistered):
        handlers.register(Kind.IAM_USER_CREATED, delivery.HANDLERS[Kind.IAM_USER_DELETED])

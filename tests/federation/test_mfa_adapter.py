"""Second factors at rest."""

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP

from accounts.models import Person
from portal.secrets.keys import Unreadable, decrypt_at_rest
from tests import factories

SEED = "JBSWY3DPEHPK3PXP"


@pytest.mark.django_db
def test_a_seed_is_stored_encrypted_and_read_again() -> None:
    person: Person = factories.person("mia@acme.test")

    TOTP.activate(person, SEED)

    stored = Authenticator.objects.get().data["secret"]
    assert SEED not in stored
    assert get_adapter().decrypt(stored) == SEED


def test_the_same_seed_is_never_stored_alike() -> None:
    assert get_adapter().encrypt(SEED) != get_adapter().encrypt(SEED)


def test_what_was_encrypted_as_a_second_factor_opens_as_nothing_else() -> None:
    with pytest.raises(Unreadable):
        decrypt_at_rest(get_adapter().encrypt(SEED), context="something else")

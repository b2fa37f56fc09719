"""Rules of `accounts.tokens`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from accounts import tokens
from accounts.models import TokenFamily, User
from accounts.tokens import BadTokenError
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    """Tokens are judged by the wall clock, so their tests live in the present."""
    return timezone.now()


@pytest.fixture
def user() -> User:
    return UserFactory.create()


def test_an_access_token_speaks_for_its_user(user: User, now: datetime) -> None:
    pair = tokens.sign_in(user, now)

    assert tokens.family_of_access(pair.access, now).user == user
    assert pair.expires_in == 300


def test_a_refresh_token_is_exchanged_for_a_pair_that_works(user: User, now: datetime) -> None:
    first = tokens.sign_in(user, now)

    second = tokens.refresh(first.refresh, now)

    assert tokens.family_of_access(second.access, now).user == user
    assert tokens.refresh(second.refresh, now).user == user


def test_using_a_refresh_token_again_ends_the_whole_sign_in(user: User, now: datetime) -> None:
    first = tokens.sign_in(user, now)
    second = tokens.refresh(first.refresh, now)

    with pytest.raises(BadTokenError):
        tokens.refresh(first.refresh, now)

    with pytest.raises(BadTokenError):
        tokens.refresh(second.refresh, now)
    with pytest.raises(BadTokenError):
        tokens.family_of_access(second.access, now)
    assert TokenFamily.objects.get().revoked_reason == "reuse"


@pytest.mark.django_db(transaction=True)
def test_of_twenty_parallel_refreshes_exactly_one_wins(user: User, now: datetime) -> None:
    pair = tokens.sign_in(user, now)
    start = Barrier(20)

    def refresh(_: int) -> bool:
        try:
            connection.ensure_connection()
            start.wait(timeout=30)
            tokens.refresh(pair.refresh, now)
        except BadTokenError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(refresh, range(20))) == 1


def test_another_sign_in_of_the_same_user_outlives_a_reuse(user: User, now: datetime) -> None:
    stolen, other = tokens.sign_in(user, now), tokens.sign_in(user, now)
    tokens.refresh(stolen.refresh, now)

    with pytest.raises(BadTokenError):
        tokens.refresh(stolen.refresh, now)

    assert tokens.family_of_access(other.access, now).user == user


def test_signing_out_ends_both_tokens_at_once(user: User, now: datetime) -> None:
    pair = tokens.sign_in(user, now)

    tokens.sign_out(tokens.family_of_refresh(pair.refresh), now)

    with pytest.raises(BadTokenError):
        tokens.family_of_access(pair.access, now)
    with pytest.raises(BadTokenError):
        tokens.refresh(pair.refresh, now)


def test_signing_out_twice_keeps_the_first_instant(user: User, now: datetime) -> None:
    family_id = tokens.family_of_refresh(tokens.sign_in(user, now).refresh)

    tokens.sign_out(family_id, now)
    tokens.sign_out(family_id, now + timedelta(seconds=5))

    assert TokenFamily.objects.get().revoked_at == now


def test_a_deactivated_user_is_out_at_once(user: User, now: datetime) -> None:
    pair = tokens.sign_in(user, now)
    User.objects.filter(pk=user.pk).update(is_active=False)

    with pytest.raises(BadTokenError):
        tokens.family_of_access(pair.access, now)
    with pytest.raises(BadTokenError):
        tokens.refresh(pair.refresh, now)


def test_a_deleted_user_is_out_at_once(user: User, now: datetime) -> None:
    pair = tokens.sign_in(user, now)
    user.delete()

    with pytest.raises(BadTokenError):
        tokens.family_of_access(pair.access, now)
    with pytest.raises(BadTokenError):
        tokens.refresh(pair.refresh, now)


def test_an_access_token_ends_after_five_minutes(user: User, now: datetime) -> None:
    then = now - timedelta(minutes=5, seconds=1)

    with pytest.raises(BadTokenError):
        tokens.family_of_access(tokens.sign_in(user, then).access, now)


def test_a_refresh_token_ends_after_a_day(user: User, now: datetime) -> None:
    then = now - timedelta(hours=24, seconds=1)

    with pytest.raises(BadTokenError):
        tokens.refresh(tokens.sign_in(user, then).refresh, now)


def test_an_expired_refresh_token_revokes_nothing(user: User, now: datetime) -> None:
    then = now - timedelta(hours=24, seconds=1)
    first = tokens.sign_in(user, then)
    tokens.refresh(tokens.sign_in(user, now).refresh, now)

    with pytest.raises(BadTokenError):
        tokens.refresh(first.refresh, now)

    assert not TokenFamily.objects.exclude(revoked_at=None).exists()


def test_each_refresh_gives_another_day(user: User, now: datetime) -> None:
    pair = tokens.sign_in(user, now - timedelta(hours=20))

    tokens.refresh(pair.refresh, now)

    assert TokenFamily.objects.get().expires_at == now + timedelta(hours=24)


def test_no_sign_in_outlives_thirty_days(user: User, now: datetime) -> None:
    pair = tokens.sign_in(user, now)
    month_ago = now - timedelta(days=30) + timedelta(hours=1)
    TokenFamily.objects.update(created_at=month_ago)

    tokens.refresh(pair.refresh, now)

    assert TokenFamily.objects.get().expires_at == now + timedelta(hours=1)


def test_a_refresh_token_is_no_access_token_and_vice_versa(user: User, now: datetime) -> None:
    pair = tokens.sign_in(user, now)

    with pytest.raises(BadTokenError):
        tokens.family_of_access(pair.refresh, now)
    with pytest.raises(BadTokenError):
        tokens.refresh(pair.access, now)


def test_two_users_cannot_mix_their_tokens(user: User, now: datetime) -> None:
    mine, other = tokens.sign_in(user, now), tokens.sign_in(UserFactory.create(), now)
    mixed = tokens.AccessToken(mine.access)  # type: ignore[arg-type]  # the library says token
    mixed["fam"] = str(tokens.family_of_refresh(other.refresh))

    with pytest.raises(BadTokenError):
        tokens.family_of_access(str(mixed), now)


def test_asking_whom_a_token_speaks_for_takes_one_query(
    user: User, now: datetime, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    pair = tokens.sign_in(user, now)

    with django_assert_num_queries(1):  # type: ignore[operator]  # pytest-django's fixture
        assert tokens.family_of_access(pair.access, now).user == user


def test_a_token_that_was_good_a_moment_ago_ends_all_the_same(user: User) -> None:
    now = timezone.now()
    access = tokens.sign_in(user, now).access

    assert tokens.family_of_access(access, now).user == user
    with pytest.raises(tokens.BadTokenError):
        tokens.family_of_access(access, now + tokens.AccessToken.lifetime)

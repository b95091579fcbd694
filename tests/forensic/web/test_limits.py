"""Requests are counted, by several webs together where they share a Redis."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.redis import RedisServer
from tests.support.web import Site, settings_of


@pytest.fixture
def webs(migrated_sqlite: Path, tmp_path: Path, redis: RedisServer) -> Iterator[list[Site]]:
    """Two web processes' worth of one service."""
    shutil.copy(migrated_sqlite, tmp_path / "service.db")
    settings = settings_of(tmp_path, rate_storage_url=redis.url, sign_ins_per_minute=4)
    sites = [Site(settings), Site(settings)]
    yield sites
    for site in sites:
        site.engine.dispose()


def attempts(webs: list[Site], n: int) -> list[int]:
    """Sign in with a wrong password, at one web after the other."""
    sent = {"name": "nobody", "password": "wrong"}
    clients = [webs[i % len(webs)].app.test_client() for i in range(n)]
    return [client.post("/api/v1/session", json=sent).status_code for client in clients]


def test_webs_that_share_redis_count_together(webs: list[Site]) -> None:
    assert attempts(webs, 6) == [401, 401, 401, 401, 429, 429]


def test_while_redis_is_away_each_web_counts_for_itself(
    webs: list[Site], redis: RedisServer
) -> None:
    redis.stop()
    assert attempts(webs[:1], 6) == [401, 401, 401, 401, 429, 429]
    assert attempts(webs[1:], 1) == [401]

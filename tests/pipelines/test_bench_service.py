from __future__ import annotations

import threading
from typing import cast

from pipelines.bench_service import _crowd
from pipelines.service.client import Client


def test_all_users_act_at_once_and_errors_are_counted() -> None:
    clients = [cast("Client", object()) for _ in range(5)]
    together = threading.Barrier(len(clients), timeout=60)  # broken if one had to wait its turn
    seen: list[tuple[int, int]] = []

    def act(client: Client, user: int, number: int) -> float | None:
        together.wait()
        assert client is clients[user]
        seen.append((user, number))
        return None if user == 3 else 100.0 + user

    crowd = _crowd(clients, act, times=2)
    assert sorted(seen) == [(user, number) for user in range(5) for number in range(2)]
    assert (crowd.users, crowd.done, crowd.errors) == (5, 10, 2)
    assert crowd.took is not None
    assert (crowd.took.n, crowd.took.p95_ms) == (8, 104.0)
    assert crowd.per_s > 0


def test_a_crowd_that_only_fails_has_no_times() -> None:
    crowd = _crowd([cast("Client", object())], lambda *_: None, times=3)
    assert (crowd.done, crowd.errors, crowd.took) == (3, 3, None)

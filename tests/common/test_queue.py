"""The queue: workers are woken, at most as many times as there may be work."""

from redis import Redis

from common.job_queue import WAKE_KEY, wait, wake_workers


def test_a_worker_that_waits_is_woken(redis: Redis) -> None:
    assert wake_workers(redis)
    assert wait(redis, seconds=10)
    assert not wait(redis, seconds=0.01)


def test_as_many_workers_are_woken_as_there_is_work_for(redis: Redis) -> None:
    wake_workers(redis, 3)
    assert redis.llen(WAKE_KEY) == 3
    wake_workers(redis, 0)
    assert redis.llen(WAKE_KEY) == 3


def test_the_queue_stays_short_while_no_worker_takes_from_it(redis: Redis) -> None:
    for _ in range(100):
        wake_workers(redis, 7)
    assert redis.llen(WAKE_KEY) == 16


def test_without_redis_nobody_is_woken() -> None:
    assert not wake_workers(Redis.from_url("redis://127.0.0.1:9/0"))

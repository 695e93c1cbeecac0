import time

from gateway.server.stops import Stops, Waited


def test_the_longest_of_the_last_seconds_is_told_and_then_forgotten():
    stops = Stops(kept=10)
    stops.add(100.2, 0.004)
    stops.add(100.7, 0.030)
    stops.add(105.0, 0.002)
    assert stops.longest(109.0) == 0.030
    assert stops.longest(111.5) == 0.002
    assert stops.longest(130.0) == 0.0


def test_work_of_our_own_is_no_waiting():
    waited = Waited()
    before = waited.seconds()
    until = time.thread_time() + 0.05
    while time.thread_time() < until:
        pass
    slept = waited.seconds() - before
    time.sleep(0.05)
    # Asleep is not ready to run either: what is counted is waiting for a core alone.
    assert waited.seconds() - before - slept < 0.04

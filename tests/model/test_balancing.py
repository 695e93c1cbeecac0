from gateway.model.balancing import Balancing, CircuitSettings
from gateway.model.codec import codec_of


def test_it_is_carried_to_the_workers() -> None:
    value = Balancing((("10.1.2.8", 8080),), "seat", CircuitSettings(1, 60.0), 0)
    codec = codec_of(Balancing)
    assert codec.read(codec.write(value)) == value

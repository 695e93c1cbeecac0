"""What comes of questions that are refused: nobody is let in, and no browser is sent anywhere."""

from gateway.model.front_codes import FRONT_HEADER, FRONT_OTHER, FRONT_QUESTION, FRONT_UNKNOWN


def test_each_refuses() -> None:
    statuses = {code.id: code.status for code in (FRONT_HEADER, FRONT_OTHER, FRONT_QUESTION, FRONT_UNKNOWN)}
    assert statuses == {"front.header": 400, "front.other": 403, "front.question": 400, "front.unknown": 403}

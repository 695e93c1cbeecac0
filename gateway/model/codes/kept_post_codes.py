"""Codes of forms that are kept across a sign-in."""

from gateway.model.codes.code import Code

NOT_SENT = Code(
    "session.form_not_sent", 401, "Your form was not sent", "You were signed out. Sign in, then fill in the form again."
)
NOT_KEPT = Code(
    "session.form_not_kept",
    401,
    "Your form was not sent",
    "You were signed out, and there is no room to keep what you sent. Go back: your browser may still show what you "
    "filled in. Sign in in another tab, then send it again.",
)
EXPIRED = Code(
    "session.form_expired",
    410,
    "Your form is no longer kept",
    "It was kept for some time, which is over; it was not sent. Go back to the application and fill it in again.",
)
GONE = Code(
    "session.form_gone",
    410,
    "Your form is not here any more",
    "It was sent already, or it can no longer be read. Look in the application whether it arrived there; "
    "if it did not, fill it in again.",
)
OTHER_PERSON = Code(
    "session.form_other_person",
    403,
    "This form is somebody else's",
    "It was filled in by the person who was signed in here before, and only that person can send it. "
    "If it is yours, sign in with the account that you had then.",
)
OTHER_ORGANISATION = Code(
    "session.form_other_organisation",
    403,
    "This form was filled in for another organisation",
    "You are signed in for another organisation than when you filled it in, and it would be sent in that one's name. "
    "It can be sent once you are signed in for the organisation that you had then.",
)
CROSS_SITE = Code(
    "session.form_cross_site",
    403,
    "Your form was not sent",
    "The button was not pressed on our own page. Go back to that page and press it there.",
)

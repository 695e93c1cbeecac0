"""Codes of forms that the gateway keeps during a sign-in."""

from gateway.model.codes.code import Code

NOT_SENT = Code(
    "session.form_not_sent", 401, "Your form was not sent", "You were signed out. Sign in, then fill in the form again."
)
NOT_KEPT = Code(
    "session.form_not_kept",
    401,
    "Your form was not sent",
    "You were signed out, and your form could not be kept. Go back: your browser may still show your entries. Sign "
    "in in another tab, then send the form again.",
)
EXPIRED = Code(
    "session.form_expired",
    410,
    "Your form is no longer kept",
    "The time for which it was kept is over, and it was not sent. Go back to the application and fill it in again.",
)
GONE = Code(
    "session.form_gone",
    410,
    "Your form is no longer available",
    "It was already sent, or it can no longer be read. Check in the application whether it arrived; if not, fill it "
    "in again.",
)
OTHER_PERSON = Code(
    "session.form_other_person",
    403,
    "This form belongs to another person",
    "It was filled in by the person who was signed in here before, and only that person can send it. If it is "
    "yours, sign in with the account that you used then.",
)
OTHER_ORGANISATION = Code(
    "session.form_other_organisation",
    403,
    "This form was filled in for another organisation",
    "You are now signed in for a different organisation, and the form would be sent in its name. To send it, sign "
    "in for the organisation that you had chosen when you filled it in.",
)
CROSS_SITE = Code(
    "session.form_cross_site",
    403,
    "Your form was not sent",
    "The form was not sent from our own page. Go back to that page and use its button.",
)

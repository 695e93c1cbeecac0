"""Sentences on error pages that codes of several subjects share. English message ids."""

from typing import Final

NOT_TAKEN: Final = (
    "Your organisation's sign-in service does not accept the request of this gateway. Give the reference below to "
    "your support: they will find the reason in the log."
)
NOT_CALLED_ADVICE: Final = (
    "This gateway is not allowed to call the address of your organisation's sign-in service: neither you nor that "
    "service is at fault. Give the reference below to your support: they will find the reason in the log."
)
UNUSABLE: Final = "Your sign-in service cannot be used at the moment"
UNUSABLE_ADVICE: Final = (
    "The data that it publishes about itself cannot be used here. Your account is not the cause. Give the reference "
    "below to your support."
)
OUT_OF_DATE_ADVICE: Final = (
    "The data that it publishes about itself is out of date. Your account is not the cause. Give the reference "
    "below to your support."
)
CANCELLED: Final = "The sign-in was cancelled"
CANCELLED_ADVICE: Final = (
    "You cancelled it, or your organisation's sign-in service did not allow it. You can start again."
)
SEEN_FIRST: Final = "Your sign-in service needs an action from you"
SEEN_FIRST_ADVICE: Final = (
    "Open your organisation's sign-in service yourself, do what it asks, then start again from the application."
)
TOO_WEAK: Final = "Your authentication level is not sufficient"
TOO_WEAK_ADVICE: Final = (
    "This page asks for a stronger way to sign in, such as a code on your telephone or an agent card. "
    "Ask your organisation's support how to get one, then start again from the application."
)
CLOCK: Final = "The clocks of two services do not agree"
CLOCK_ADVICE: Final = (
    "The clocks of your organisation's sign-in service and of this gateway are too far apart, or this sign-in took "
    "too long. Start again; if it happens again, give the reference below to your support."
)
BAD_REQUEST: Final = "The request could not be read"
BAD_REQUEST_ADVICE: Final = "The address or the data from your browser is not accepted here. Go back and try again."
PROVIDER_FAULT: Final = (
    "The answer of your organisation's sign-in service was refused. "
    "Give the reference below to your support: they will find the reason in the log."
)
NOT_ADMITTED: Final = "You may not open this page"
NOT_ADMITTED_ADVICE: Final = (
    "Your account does not give access to this page. Ask the person in charge of the application."
)
SIGN_IN_AGAIN: Final = (
    "Start again from the application. If this happens again, give the reference below to your support."
)
SIGN_IN_FAILED: Final = "You could not be signed in"

"""Forms and uploads that were sent when their session had ended, kept across the sign-in.

`kept_posts` is the service: it admits one by the tombstone of a seat, keeps what is known of it as a ticket, which is
taken once, and finds its body again. `folder` holds the bodies as files and counts them; `sealed_stream` encrypts a
body piece by piece; `bodies` are one file as it comes and as it goes, off the loop. Begin in `kept_posts`.
"""

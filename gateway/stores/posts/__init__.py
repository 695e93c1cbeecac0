"""Forms and uploads that arrived after their session had ended, kept across the sign-in. Begin in `kept_posts`.

`kept_posts`: admits a post by the tombstone of a seat, keeps its description as a ticket, and finds its body again.
`folder`: holds the bodies as files and counts them.
`sealed_stream`: encrypts a body piece by piece.
`bodies`: writes and reads one file off the loop.
"""

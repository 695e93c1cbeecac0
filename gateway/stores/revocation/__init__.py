"""Ends of sessions, in force in every worker. Begin in `revocations`.

`list_of_ends`: the entries of the store's revocation list.
`revocations`: reads the tail of the list into a worker's memory of seats.
`sign_in_ends`: marks sign-ins that ended before their session began.
`unwritten_ends`: repeats writes that the store could not take.
`trust`: decides whether a worker may answer from its memory.
"""

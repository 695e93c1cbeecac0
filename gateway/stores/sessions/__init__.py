"""Sessions and seats. Begin in `sessions`.

`sessions`: keeps sessions and seats, this worker's memory in front and the store behind.
`seats`: a worker's memory of seats.
`new_session`: a session before its first write.
`session_limit`: ends a person's oldest sessions.
`touches`: writes the times of use.
`oversight`: the operators' view: lists sessions and ends some.
"""

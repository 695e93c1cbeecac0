"""Buffers for bodies: a slow client does not hold an application whose file asks for buffering.

`held` is the queue of waiting bytes: in memory, and beyond that in a file without a name. `room` is shared by the
buffers of a worker: the limit of waiting bytes, the folder, the threads that write. `responses` stands before the
client connection and accepts a response faster than the client reads. `gathered` collects a request's body before a
connection to the application is opened, then sends the body at once. Begin in `held`.
"""

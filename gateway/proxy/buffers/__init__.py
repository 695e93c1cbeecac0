"""Bodies that wait here, so that a slow client does not hold an application, where its file asks for it.

`held` is what waits, first in and first out: in memory, and what is more in a file without a name. `room` is what a
worker's have in common: how much waits in all, the folder, the threads that write. `responses` stands before the client
connection and takes a response faster than the client reads it; `gathered` takes a request's body before there is a
connection to the application, and sends it on at once. `gathering` is what the client connection does with one. Begin
in `held`.
"""

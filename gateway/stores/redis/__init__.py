"""The session store on Valkey or Redis, for several machines. `store` and `cluster_store` implement
records.RecordStore.

`step.lua`: the steps as the server runs them.
`steps`: calls `step.lua` from Python.
`encoding`: the form of records in the server.
`connections`: the bounded pool of connections.
`locating`: finds the server's addresses. `cluster`: finds the node of a shard.
`feed`: announces ends of sessions.
`clock`: the time that all nodes share.
`lacks`: checks the server when the gateway starts.
"""

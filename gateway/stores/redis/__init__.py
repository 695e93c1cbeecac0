"""The session store on Valkey or Redis, for several machines: `store`, or `cluster_store`, is records.RecordStore.

`step.lua` is what the server does in one step, `steps` says it from Python, and `encoding` what the records look like
there. `connections` are bounded and met one by one; `locating` says where they lead to, and `cluster` which node of
several. `feed` is the word that something has ended, `clock` the time that all nodes share, and `lacks` what is looked
at when the gateway starts.
"""

"""Reads the policy folder from disk, once, into frozen bytes.

`files`   the bytes of a snapshot, by kind of file; the hosts that a wrong app file closes
`read`    reads the folder and its references (secrets, certificates, metadata)
`design`  reads the operator's copy of the State's design system
`opened`  opens files
"""

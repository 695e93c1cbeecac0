"""The policy folder as it lies on disk, read once into frozen bytes.

`files`   everything that a snapshot is made of, as bytes; which file is what; which hosts a wrong app file closes
`read`    the folder, and what its files refer to (secrets, certificates, metadata), to these bytes
`design`  the State's design system in the operator's own copy, likewise
`opened`  how each of them is opened
"""

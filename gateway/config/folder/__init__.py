"""The policy folder as it lies on disk, read once into frozen bytes.

`files`            everything that a snapshot is made of, as bytes, and which file is what
`read`             the folder to these bytes
`read_references`  what the files refer to (secrets, certificates, metadata), and nothing else
`known_hosts`      which hosts each app file had when it was last served
`watch`            whether anything changed
"""

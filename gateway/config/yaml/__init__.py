"""One YAML document.

`reader`         text to plain values, each with its place; what could be read in two ways is refused
`errors`         what the parser says, in plain words
`layout`         the one layout that `ecluse fmt` gives to files
`written_hosts`  the hosts that an app file names, even if it cannot be read
"""

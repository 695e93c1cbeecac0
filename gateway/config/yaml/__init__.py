"""One YAML document.

`reader`         text to plain values, each with its place; text with two readings is refused
`errors`         the parser's errors, in plain words
`layout`         the one layout that `ecluse fmt` gives to files
`written_hosts`  the hosts that an app file names, even in a file that cannot be read"""

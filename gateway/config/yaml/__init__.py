"""YAML documents.

`reader`         text to plain values with their places; refuses text with two readings
`errors`         the parser's errors, in plain words
`layout`         the layout of `ecluse fmt`
`written_hosts`  the hosts that an app file names, even if the file is no valid YAML"""

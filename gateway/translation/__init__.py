"""From an identity to the header lines and cookies that an application understands. Pure. Begin in `render`.

`specs`       the settings of an app file, compiled
`render`      compiles the settings further, and makes the bytes for a person
`transforms`  changes the values of an attribute before encoding
`charset`     encodes a text for the application, or refuses it; never writes a replacement character
`nearest`     replaces letters by letters that people accept in their place
`read_back`   shows the sent values
"""

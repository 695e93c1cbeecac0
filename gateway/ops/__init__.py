"""What operators see of a running gateway.

`log` writes one JSON object a line, by a thread, and names people there without saying who they are; its events are in
`model.events`. `counters` are plain numbers of one worker, `metrics` their exposition, `zeros` the series that are
there before anything is counted.
"""

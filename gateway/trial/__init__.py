"""Requests tried without serving: the base of explain, test and diff. Begin in `trial`.

`trial`                             one request on a snapshot, by the functions of `gateway.access`, as live traffic
`request`, `people`, `recorded`     the request and the person to try; requests of an access log
`explanation`, `leniencies`         the rules that a request meets; the leniencies that its target needs
`cases`, `judge`, `junit`           the folder's own tests, their verdicts, and the verdicts for CI
`matrix`, `comparing`               the requests and people of `ecluse diff`, and the comparison
`proving`, `compile_process`        before every reload: a folder whose tests fail is refused; the process that compiles
"""

"""Findings about a folder that can be served but is most likely wrong. Begin in `rules`.

`rules` is the table of codes, each with one function. The functions are in modules by subject:
`about_people`, `about_names`, `about_organisations`              providers, names of people, organisations
`about_applications`, `about_forms`, `about_tokens`               applications and the ways to sign people in there
`about_encodings`, `about_rates`, `about_rules`, `about_the_gateway`
`subject` is the input of a rule: a folder as files, models and snapshot. `run` runs every rule and drops findings that
comments ignore. A mistake that keeps a folder from being served is not a lint rule: `config` checks those.
"""

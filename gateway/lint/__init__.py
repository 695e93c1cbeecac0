"""What can be served and is most likely a mistake.

`rules` is the table of codes, each with one function: `about_people`, `about_names`, `about_applications`,
`about_tokens`, `about_rules`, `about_the_gateway` have them by subject. `subject` is what a rule looks at: a folder as
files, models and snapshot. `run` asks every rule and leaves out what comments ignore. A mistake that keeps a folder
from being served is no lint rule: it belongs to the checks of `config`. Begin in `rules`.
"""

"""What directories report about people. Begin in `told_people`.

`told_people`: the reports that arrive by SCIM, kept for years. `told_forms`: encodes the records.
`last_findings`: the last findings, used while a directory does not answer.
`known_people`: limits how long a finding counts.
"""

"""What the portal knows of HTTP: the request as its steps read it, and the responses. Begin in `request`.

- `request` wraps what the data plane has read, and carries what steps leave for the response.
- `responses` has redirects, and the headers of every response of ours; `form_answers` says where the answer to a form
  may lead; `provider_cookie` remembers the provider chosen last.
- `pages` renders the templates; `error_page` chooses an error page's link and picture; `look` is the operator's theme,
  `dsfr` the class names of the State's design system.
- `i18n` picks French or English. `called`, `moments` and `sizes` write names, times and sizes for people.
- `choices` and `lines` are the values that the pages show.
"""

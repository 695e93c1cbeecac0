"""I/O towards identity providers and applications. `oidc` and `saml` judge what the answers mean.

OpenID Connect: begin in `federation`, which has every call of a sign-in, a refresh and a sign-out.
- `client` sends one call, bounded in time and size; `addresses` decides where it may go; `cached` keeps documents.

SAML: `saml` reads metadata for a worker, and makes one exchange by SOAP. The supervisor keeps the metadata fresh:
- `metadata_keeper` decides when to fetch which `metadata_source`; `metadata_lanes` orders them, so that a slow source
  holds up no other.
- `metadata_helper` starts the helper, `metadata_process` is the helper, `metadata_indexing` verifies a document there.
- `metadata_index` is the SQLite file that workers read.
- `logo_keeper` keeps the logos that metadata name; `logo_images` decodes each and writes it anew.

Providers that do not answer: `provider_looks` asks them for all workers, `provider_standing` judges one provider by the
answers, `standings` is what a worker knows of all.

Applications: `applications` tells one that a session has ended, `application_page` asks one for a page, `form_logins`
signs a person in at a login form by exchanges of `form_exchange`.
"""

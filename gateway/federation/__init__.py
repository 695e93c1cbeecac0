"""I/O with identity providers and applications. `oidc` and `saml` check the content of the answers.

OpenID Connect: start at `federation`, which makes every call of a sign-in, a refresh and a sign-out.
- `client` sends one call, bounded in time and size. `addresses` decides which addresses a call may reach. `cached`
  keeps a provider's documents.

SAML: `saml` reads metadata for a worker and exchanges one SOAP message. The supervisor keeps the metadata fresh:
- `metadata_keeper` decides when to fetch a `metadata_source`. `metadata_lanes` orders the fetches, so that a slow
  source never delays the rest.
- `metadata_helper` starts the helper process, `metadata_process` is the helper's program, `metadata_indexing` verifies
  a document inside the helper.
- `metadata_index` is the SQLite file that workers read.
- `logo_keeper` keeps the logos that metadata name. `logo_images` decodes a logo and encodes the pixels again.

Before a provider has a file: `first_look` looks at an address. `registration` lists our addresses that a provider's
administrator registers.

Providers that do not answer: `provider_looks` probes providers for all workers, `provider_standing` judges one provider
by the probes, `standings` holds a worker's knowledge of every provider.

Applications: `applications` notifies an application that a session has ended, `application_page` requests a page from
an application, `form_logins` signs a person in at a login form, through the exchanges of `form_exchange`.
"""

"""npm oidc-provider as a part of the tests: `process` starts it, `walk` signs in through its pages."""

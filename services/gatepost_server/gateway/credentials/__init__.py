"""Who may ask: from what a caller shows to a tenant and its roles. See docs/security.md."""

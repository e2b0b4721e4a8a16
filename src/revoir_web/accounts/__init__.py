"""People who use the application: accounts, roles, invitations, keys."""

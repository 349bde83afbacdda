"""Who may do what: users, memberships, keys, sessions, roles."""

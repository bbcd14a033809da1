"""The benchmark of Vedfolnir against PostgreSQL's own ways of deleting a person."""

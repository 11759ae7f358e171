"""A federation router: any join-spec supergraph in, GraphQL answers out. It knows nothing about any one domain."""

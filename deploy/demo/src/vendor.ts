// What the modules beside this take from packages. As a second entry point it puts that into a chunk of its own, which
// changes with the packages' versions only, while app.js changes with every line of ours. No page loads this file itself.
export { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache } from "@apollo/client";
export { SetContextLink } from "@apollo/client/link/context";
export { ErrorLink } from "@apollo/client/link/error";
export { GraphQLWsLink } from "@apollo/client/link/subscriptions";
export { ApolloProvider, useMutation, useQuery, useSubscription } from "@apollo/client/react";
export { OperationTypeNode } from "graphql";
export { createClient } from "graphql-ws";
export { StrictMode, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
export { createRoot } from "react-dom/client";
export { Fragment, jsx, jsxs } from "react/jsx-runtime";
export { strToU8, zipSync } from "fflate";
export { firstValueFrom, from, switchMap } from "rxjs";

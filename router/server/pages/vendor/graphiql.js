// GraphiQL with its explorer, and what our page needs of graphql-js.
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
export { explorerPlugin } from "@graphiql/plugin-explorer";
export { GraphiQL } from "graphiql";
export { DOC_EXPLORER_PLUGIN } from "@graphiql/plugin-doc-explorer";
export { HISTORY_PLUGIN } from "@graphiql/plugin-history";
export { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
export { createGraphiQLFetcher } from "@graphiql/toolkit";
export { getOperationAST, getNamedType, isObjectType, parse, print } from "graphql";

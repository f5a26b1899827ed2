/* GraphiQL as the server shows it: its workers, and a fetcher that speaks to `/graphql` and `/graphql/ws`. */
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { GraphiQL } from 'graphiql';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import 'graphiql/style.css';

const assets = document.currentScript.dataset.assets;
const WORKERS = { graphql: 'graphql', json: 'json' };

globalThis.MonacoEnvironment = {
  getWorker: (_, label) => new Worker(`${assets}${WORKERS[label] ?? 'editor'}.worker.js`),
};

const fetcher = createGraphiQLFetcher({
  url: '/graphql',
  subscriptionUrl: `${location.origin.replace(/^http/, 'ws')}/graphql/ws`,
});
// `/graphql?query=...&variables=...` opens with them.
const given = new URLSearchParams(location.search);
createRoot(document.getElementById('graphiql')).render(createElement(GraphiQL, {
  fetcher,
  defaultEditorToolsVisibility: true,
  initialQuery: given.get('query') ?? undefined,
  initialVariables: given.get('variables') ?? undefined,
}));

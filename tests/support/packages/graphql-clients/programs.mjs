/*
 * Clients of GraphQL that others have written, each as its users would set it up.
 *
 *     node programs.mjs CLIENT ADDRESS
 *
 * Each asks a query, a mutation and a wrong query, subscribes, and writes a line of JSON for whatever comes.
 * When it has subscribed it writes {"type":"subscribed"}; it ends after three values.
 */
import { createClient as createSocket } from 'graphql-ws';
import { createClient as createEvents } from 'graphql-sse';
import { Client, cacheExchange, fetchExchange, subscriptionExchange } from '@urql/core';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client/core';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { BatchHttpLink } from '@apollo/client/link/batch-http';
import { Defer20220824Handler, GraphQL17Alpha9Handler } from '@apollo/client/incremental';
import { OperationTypeNode } from 'graphql';

const [name, address] = process.argv.slice(2);
const HELLO = 'query Hello($name: String!) { hello(name: $name) }';
const ADD = 'mutation { add }';
const WRONG = '{ nope }';
const TICK = 'subscription { tick }';
const MOST = 3;

const say = (type, value) => console.log(JSON.stringify({ type, value }));
const sockets = (more = {}) => createSocket({
  url: `${address.replace('http', 'ws')}/graphql/ws`, connectionParams: { who: 'me' }, retryAttempts: 50,
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 100)), shouldRetry: () => true, ...more,
});
const once = (client, query, variables) => new Promise((resolve, reject) => {
  let last;
  client.subscribe({ query, variables }, { next: (value) => { last = value; }, error: reject, complete: () => resolve(last) });
});
const messages = (error) => (Array.isArray(error) ? error : error.graphQLErrors ?? error.errors ?? [error]).map((one) => one.message);

/* Calls back with every value of tick. */
function counted(done) {
  let count = 0;
  return (value) => {
    say('tick', value);
    if (++count === MOST) done();
  };
}

async function direct(client) {
  say('hello', (await once(client, HELLO, { name: 'x' })).data.hello);
  say('add', (await once(client, ADD)).data.add);
  const wrong = await once(client, WRONG).catch((error) => ({ errors: error }));
  say('wrong', messages(wrong.errors));
  await new Promise((resolve, reject) => {
    const took = counted(resolve);
    client.subscribe({ query: TICK }, { next: (value) => took(value.data.tick), error: reject, complete: resolve });
    say('subscribed');
  });
}

async function apollo(incrementalHandler, subscriptions) {
  const client = new ApolloClient({
    cache: new InMemoryCache(), incrementalHandler,
    link: ApolloLink.split(({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION, subscriptions, new HttpLink({ uri: `${address}/graphql` })),
  });
  say('hello', (await client.query({ query: gql(HELLO), variables: { name: 'x' } })).data.hello);
  say('add', (await client.mutate({ mutation: gql(ADD) })).data.add);
  say('wrong', messages(await client.query({ query: gql(WRONG) }).catch((error) => error)));
  say('deferred', await new Promise((resolve, reject) => {
    const seen = [];
    client.watchQuery({ query: gql('query Slow { hello(name: "now") ... @defer { later } }') }).subscribe({
      next: (result) => { seen.push(result.data); if (result.dataState === 'complete') resolve(seen); }, error: reject,
    });
  }));
  await new Promise((resolve, reject) => {
    const took = counted(resolve);
    client.subscribe({ query: gql(TICK) }).subscribe({ next: (result) => took(result.data.tick), error: reject });
    say('subscribed');
  });
}

const programs = {
  'graphql-ws': () => direct(sockets({ on: { connected: () => say('connected'), closed: () => say('closed') } })),
  'graphql-sse': () => direct(createEvents({ url: `${address}/graphql/sse` })),
  'graphql-sse-single': () => direct(createEvents({ url: `${address}/graphql/sse`, singleConnection: true })),

  async urql() {
    const events = createEvents({ url: `${address}/graphql/sse` });
    const client = new Client({
      url: `${address}/graphql`, preferGetMethod: false,
      exchanges: [cacheExchange, fetchExchange, subscriptionExchange({
        forwardSubscription: ({ query, variables }) => ({ subscribe: (sink) => ({ unsubscribe: events.subscribe({ query, variables }, sink) }) }),
      })],
    });
    say('hello', (await client.query(HELLO, { name: 'x' }).toPromise()).data.hello);
    say('add', (await client.mutation(ADD, {}).toPromise()).data.add);
    say('wrong', messages((await client.query(WRONG, {}).toPromise()).error));
    await new Promise((resolve) => {
      const took = counted(resolve);
      client.subscription(TICK, {}).subscribe((result) => took(result.data.tick));
      say('subscribed');
    });
  },

  apollo: () => apollo(new GraphQL17Alpha9Handler(), new GraphQLWsLink(sockets())),
  'apollo-http': () => apollo(new Defer20220824Handler(), new HttpLink({ uri: `${address}/graphql` })),

  async 'apollo-batch'() {
    const client = new ApolloClient({ cache: new InMemoryCache(), link: new BatchHttpLink({ uri: `${address}/graphql`, batchInterval: 20 }) });
    const told = await Promise.all([
      client.query({ query: gql(HELLO), variables: { name: 'a' } }).then((result) => result.data.hello),
      client.query({ query: gql(WRONG) }).catch((error) => messages(error)),
      client.query({ query: gql('{ later }') }).then((result) => result.data.later),
    ]);
    say('batch', told);
  },
};

await programs[name]();
process.exit(0);

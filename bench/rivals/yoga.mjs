/* node with graphql-yoga, and graphql-ws for WebSockets; a POST to /publish/<n> sends n to the subscribers of tick. */
import { createServer } from 'node:http';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';

const bus = createPubSub();
const schema = createSchema({
  typeDefs: 'type Query { hello(name: String!): String! } type Subscription { tick(of: Int): Int! }',
  resolvers: {
    Query: { hello: (_, { name }) => `Hello ${name}` },
    Subscription: { tick: { subscribe: () => bus.subscribe('tick'), resolve: (value) => value } },
  },
});
const yoga = createYoga({ schema, logging: false, graphiql: false, landingPage: false });
const server = createServer((req, res) => {
  if (req.method === 'POST' && req.url.startsWith('/publish/')) {
    bus.publish('tick', Number(req.url.slice(9)));
    res.end('sent');
  } else yoga(req, res);
});
useServer({ schema }, new WebSocketServer({ server, path: '/graphql/ws', perMessageDeflate: false }));
server.listen(Number(process.argv[2]), '127.0.0.1');

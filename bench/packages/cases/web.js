//// preact preact-render-to-string
import { h } from 'preact';
import { renderToString } from 'preact-render-to-string';
export default () => renderToString(h('p', { class: 'a' }, 'x<', h((p) => h('b', null, p.n), { n: 1 })));

//// react react-dom
import { createElement as h } from 'react';
import { renderToString } from 'react-dom/server';
export default () => renderToString(h('p', { className: 'a' }, 'x<', h((p) => h('b', null, p.n), { n: 1 })));

//// vue @vue/server-renderer
import { createSSRApp, h } from 'vue';
import { renderToString } from '@vue/server-renderer';
export default () => renderToString(createSSRApp({ data: () => ({ n: 1 }), render() { return h('p', { class: 'a' }, ['x<', this.n]); } }));

//// hono
import { Hono } from 'hono';
export default async () => { const a = new Hono(); a.get('/u/:id', (c) => c.json({ id: c.req.param('id'), q: c.req.query('q') })); const r = await a.request('/u/3?q=é'); return [r.status, await r.json()]; };

//// itty-router
import { AutoRouter } from 'itty-router';
export default async () => { const r = AutoRouter(); r.get('/u/:id', ({ params }) => ({ id: params.id })); return (await r.fetch(new Request('http://x/u/3'))).json(); };

//// path-to-regexp
import { compile, match } from 'path-to-regexp';
export default () => [match('/u/:id{/:x}')('/u/3'), compile('/u/:id')({ id: 'é' })];

//// graphql
import { buildSchema, graphql } from 'graphql';
export default () => graphql({ schema: buildSchema('type Query { a(n: Int!): [Int] }'), source: '{ a(n: 2) }', rootValue: { a: ({ n }) => [n, n + 1] } });

//// graphql-tag graphql
import gql from 'graphql-tag';
import { print } from 'graphql';
export default () => print(gql`query A($n: Int) { a(n: $n) { ...F } } fragment F on T { x }`);

//// i18next
import i18next from 'i18next';
export default async () => { const i = i18next.createInstance(); await i.init({ lng: 'en', resources: { en: { translation: { k: 'Hi {{n}}', x_one: 'one', x_other: '{{count}} xs' } } } }); return [i.t('k', { n: 'A' }), i.t('x', { count: 2 })]; };

//// intl-messageformat
import { IntlMessageFormat } from 'intl-messageformat';
export default () => new IntlMessageFormat('{n, plural, one {# file} other {# files}} {g, select, a {A} other {B}}', 'en').format({ n: 3, g: 'a' });

//// stripe
import Stripe from 'stripe';
export default () => { const s = new Stripe('sk_test_x', { httpClient: Stripe.createFetchHttpClient() }); return [typeof s.customers.create, s.getApiField('version') !== null]; };

//// openai
import OpenAI from 'openai';
export default async () => { const o = new OpenAI({ apiKey: 'k', fetch: async (u, i) => Response.json({ u: String(u), m: i.method, choices: [{ message: { content: 'hi' } }] }) }); return o.chat.completions.create({ model: 'm', messages: [] }); };

//// @anthropic-ai/sdk
import Anthropic from '@anthropic-ai/sdk';
export default async () => { const a = new Anthropic({ apiKey: 'k', fetch: async (u) => Response.json({ u: String(u), content: [] }) }); return a.messages.create({ model: 'm', max_tokens: 1, messages: [] }); };

//// color
import Color from 'color';
export default () => [Color('#ff8800').lighten(0.2).hex(), Color('rgb(1,2,3)').hsl().string()];

//// chroma-js
import chroma from 'chroma-js';
export default () => [chroma('red').darken().hex(), chroma.scale(['white', 'black']).colors(3)];

//// d3-scale
import { scaleLinear, scaleTime } from 'd3-scale';
export default () => [scaleLinear().domain([0, 97]).nice().ticks(5), scaleLinear([0, 1], ['red', 'blue'])(0.5)];

//// d3-shape
import { arc, line } from 'd3-shape';
export default () => [line()([[0, 0], [1, 2]]), arc()({ innerRadius: 0, outerRadius: 1, startAngle: 0, endAngle: 1 })];

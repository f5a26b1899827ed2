//// marked
import { marked } from 'marked';
export default () => marked.parse('# A *b*\n\n- [x] c\n- d `e`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n');

//// markdown-it
import MarkdownIt from 'markdown-it';
export default () => new MarkdownIt({ linkify: true, typographer: true }).render('# A\n\nsee https://example.org "q" ~~x~~\n\n1. a\n2. b\n');

//// remark remark-html remark-gfm
import { remark } from 'remark';
import gfm from 'remark-gfm';
import html from 'remark-html';
export default async () => String(await remark().use(gfm).use(html).process('# A\n\n- [x] b\n\n~~c~~ **d**'));

//// rehype
import { rehype } from 'rehype';
export default async () => String(await rehype().data('settings', { fragment: true }).process('<p>a<b>c</p>'));

//// handlebars
import Handlebars from 'handlebars';
export default () => Handlebars.compile('{{#each l}}<{{this}}>{{/each}} {{a.b}}')({ l: [1, '&'], a: { b: 2 } });

//// mustache
import Mustache from 'mustache';
export default () => Mustache.render('{{#l}}{{.}},{{/l}}{{{h}}}{{h}}', { l: [1, 2], h: '<b>' });

//// ejs
import ejs from 'ejs';
export default () => ejs.render('<% for (const n of l) { %><%= n %>,<% } %>', { l: [1, '<'] });

//// nunjucks
import nunjucks from 'nunjucks';
export default () => new nunjucks.Environment().renderString('{% for n in l %}{{ n }},{% endfor %}{{ x | upper }}', { l: [1, 2], x: 'a' });

//// eta
import { Eta } from 'eta/core';
export default () => new Eta().renderString('<% it.l.forEach((n) => { %><%= n %>;<% }) %>', { l: [1, '<'] });

//// liquidjs
import { Liquid } from 'liquidjs';
export default () => new Liquid().parseAndRender('{% for n in l %}{{ n | plus: 1 }},{% endfor %}{{ x | upcase }}', { l: [1, 2], x: 'a' });

//// pug
import pug from 'pug';
export default () => pug.render('ul\n  each n in l\n    li= n', { l: [1, '<'] });

//// he
import he from 'he';
export default () => [he.encode('é<©'), he.decode('&eacute;&lt;&#x1F600;')];

//// entities
import { decodeHTML, encodeXML, escapeUTF8 } from 'entities';
export default () => [decodeHTML('&amp;&uuml;&notin;'), encodeXML('<ü>'), escapeUTF8('<a>')];

//// cheerio
import * as cheerio from 'cheerio';
export default () => { const $ = cheerio.load('<ul><li class="a">1</li><li>2</li></ul>'); $('li.a').attr('x', 'y'); return [$('li').map((_, e) => $(e).text()).get(), $.html('ul')]; };

//// htmlparser2
import { Parser } from 'htmlparser2';
export default () => { const out = []; const p = new Parser({ onopentag: (n, a) => out.push([n, a]), ontext: (t) => out.push(t) }); p.write('<a href="x">y&amp;z</a>'); p.end(); return out; };

//// parse5
import { parseFragment, serialize } from 'parse5';
export default () => serialize(parseFragment('<table><tr><td>a<p>b'));

//// linkedom
import { parseHTML } from 'linkedom';
export default () => { const { document } = parseHTML('<html><body><p id="a">x</p></body></html>'); document.querySelector('#a').textContent = 'y'; return document.toString(); };

//// sanitize-html
import sanitize from 'sanitize-html';
export default () => sanitize('<p onclick="x">a<script>b</script><a href="javascript:1">c</a></p>');

//// xss
import xss from 'xss';
export default () => xss('<img src=x onerror=alert(1)><b>k</b><script>1</script>');

//// slugify
import slugify from 'slugify';
export default () => [slugify('Füße & Käse!', { lower: true }), slugify('a b', '_')];

//// change-case
import { camelCase, capitalCase, constantCase, kebabCase } from 'change-case';
export default () => [camelCase('foo bar-baz2x'), capitalCase('fooBar'), constantCase('XMLHttp'), kebabCase('aÉb')];

//// pluralize
import pluralize from 'pluralize';
export default () => [pluralize('person', 2, true), pluralize.singular('geese')];

//// fuse.js
import Fuse from 'fuse.js';
export default () => new Fuse([{ t: 'Old Man' }, { t: 'The Sea' }], { keys: ['t'], includeScore: true }).search('old');

//// minisearch
import MiniSearch from 'minisearch';
export default () => { const m = new MiniSearch({ fields: ['t'] }); m.addAll([{ id: 1, t: 'moby dick' }, { id: 2, t: 'zen art' }]); return m.search('zne', { fuzzy: 0.5 }).map((r) => r.id); };

//// lunr
import lunr from 'lunr';
export default () => lunr(function () { this.ref('id'); this.field('t'); this.add({ id: '1', t: 'running fox' }); }).search('run').map((r) => r.ref);

//// flexsearch
import FlexSearch from 'flexsearch';
export default () => { const i = new FlexSearch.Index({ tokenize: 'forward' }); i.add(1, 'hello world'); i.add(2, 'help'); return i.search('hel'); };

//// diff
import { createPatch, diffWords } from 'diff';
export default () => [diffWords('a b c', 'a x c'), createPatch('f', 'a\nb\n', 'a\nc\n')];

//// stemmer
import { stemmer } from 'stemmer';
export default () => ['considerations', 'flying', 'happily'].map(stemmer);

//// iconv-lite
import iconv from 'iconv-lite';
export default () => iconv.decode(Uint8Array.from([0xe9, 0x80]), 'win1252');

//// lodash.template
import template from 'lodash.template';
export default () => [
  template('hello <%= user %>: <% users.forEach((one) => { %><li><%- one %></li><% }); %>')({ user: 'Ada', users: ['a<b', 'c'] }),
  template('${ a } and <%= b %>', { variable: undefined })({ a: 1, b: 2 }),
  template('<%= data.x %>', { variable: 'data' })({ x: 3 }),
  (() => { try { return template('<%= missing.x %>')({}); } catch (error) { return error.name; } })(),
];

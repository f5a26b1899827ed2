/*
 * What a file knows of itself and of what it runs in: `import.meta`, `process.env.NODE_ENV`, `self`,
 * `__filename` and `__dirname`; and imports of a pattern over the script's own files.
 *
 *     import.meta.dirname                     "/pages"
 *     import(`./pages/${name}.ts`)            a table of the files that fit, and a promise that is rejected for others
 *     import.meta.glob("./pages/*.ts")        { "./pages/a.ts": () => import("./pages/a.ts") }
 */
import { posix } from 'node:path';

const CODE = /\.[mc]?[jt]sx?$/;
const DECLARATIONS = /\.d\.[mc]?ts$/;
const META = /import\s*\.\s*meta/;
const OWN = /import\s*\.\s*meta|process\s*\.\s*env|__dirname|__filename|\bself\b|require\s*\.\s*main|\bimport\s*\(\s*[^'")\s]/;
const FILE_LIKE = /^\.{1,2}\//;

/** Whether a file asks for any of it, without parsing it. */
export const asks = (source, own) => (own ? OWN : META).test(source);

/** Whether which files there are changes how a file is lowered. */
export const asksForFiles = (source) => /import\s*\.\s*meta\s*\.\s*glob|\bimport\s*\(\s*[^'")\s]/.test(source);

/**
 * @returns A Babel plugin, to be run before the checks.  Its options: `path`; `own`; `entry`; `mode`, `production` or
 *   `development`; `files`, the paths of the script; `problem(node, code, message, hint)`.
 */
export function surroundings({ types: t, template }, { path: file, own, entry, mode, files, problem }) {
  const chosen = template.expression(
    '(function (table, name) { return Object.prototype.hasOwnProperty.call(table, name) ? table[name]()'
    + ' : Promise.reject(new Error(\'import() finds no file "\' + name + \'"; the files that fit its pattern are \' + Object.keys(table).join(", ") + ".")); })(TABLE, NAME)',
    { placeholderPattern: /^(?:TABLE|NAME)$/ },
  );
  const resolved = template.expression('(function (specifier) { return new URL(specifier, HERE).href; })', { placeholderPattern: /^HERE$/ });
  const url = `file:///${file.split('/').map(encodeURIComponent).join('/')}`;
  const folder = posix.join('/', posix.dirname(file));
  const mine = own && mode !== undefined;
  const text = (value) => t.stringLiteral(value);

  const environment = { MODE: () => text(mode), DEV: () => t.booleanLiteral(mode !== 'production'), PROD: () => t.booleanLiteral(mode === 'production'), SSR: () => t.booleanLiteral(true), BASE_URL: () => text('/') };
  const object = (table) => t.objectExpression(Object.entries(table).map(([name, make]) => t.objectProperty(t.identifier(name), make())));
  const meta = {
    url: () => text(url),
    filename: () => text(posix.join('/', file)),
    dirname: () => text(folder),
    main: () => t.booleanLiteral(Boolean(entry)),
    resolve: () => resolved({ HERE: text(url) }),
    ...(mine ? { env: () => object(environment) } : {}),
  };

  const found = { meta: false };
  const NAMES = new Map([['__filename', meta.filename], ['__dirname', meta.dirname], ['self', () => t.identifier('globalThis')]]);

  const nameOf = ({ property, computed }) => (computed ? property.value : property.name);
  const isMember = (path, node) => (path.isMemberExpression() || path.isOptionalMemberExpression()) && path.node.object === node;

  function ofMeta(path) {
    if (path.node.meta.name !== 'import') return;
    found.meta = true;
    const { parentPath } = path;
    if (!isMember(parentPath, path.node)) {
      path.replaceWith(object(meta));
      return;
    }
    const name = nameOf(parentPath.node);
    if (name === 'glob' && mine && parentPath.parentPath.isCallExpression({ callee: parentPath.node })) glob(parentPath.parentPath);
    else if (name === 'env' && mine && isMember(parentPath.parentPath, parentPath.node)) {
      const made = environment[nameOf(parentPath.parentPath.node)];
      if (made === undefined) parentPath.replaceWith(object(environment));
      else parentPath.parentPath.replaceWith(made());
    } else if (Object.hasOwn(meta, name)) parentPath.replaceWith(meta[name]());
    else {
      if (mine && typeof name === 'string' && name !== 'hot') problem(parentPath.node.property, 'unknown_member', `import.meta.${name} does not exist.`, `import.meta has ${Object.keys(meta).join(', ')} and glob.`);
      parentPath.replaceWith(t.unaryExpression('void', t.numericLiteral(0)));
    }
  }

  const dotted = (node) => {
    if (node.type === 'Identifier') return node.name;
    return node.type === 'MemberExpression' && !node.computed ? `${dotted(node.object)}.${node.property.name}` : '';
  };

  function ofNode(path) {
    const { node, scope, parentPath } = path;
    const name = dotted(node);
    if (name === 'process.env.NODE_ENV' && mine && !scope.hasBinding('process') && !parentPath.isAssignmentExpression({ left: node })) path.replaceWith(text(mode));
    else if (name === 'require.main' && mine && !scope.hasBinding('require')) path.replaceWith(entry ? t.identifier('module') : t.unaryExpression('void', t.numericLiteral(0)));
  }

  /* The words of a specifier that is made at run time, with null for what is not known; null if it is not such. */
  function wordsOf(node) {
    if (node?.type === 'TemplateLiteral') return node.quasis.flatMap(({ value }, at) => [value.cooked, ...(at < node.expressions.length ? [null] : [])]);
    if (node?.type !== 'BinaryExpression' || node.operator !== '+') return node?.type === 'StringLiteral' ? [node.value] : [null];
    return [...wordsOf(node.left), ...wordsOf(node.right)];
  }

  /* Every way in which this file may write the path of another one. */
  function written(path) {
    const near = posix.relative(posix.dirname(file), path);
    const relative = near.startsWith('.') ? near : `./${near}`;
    if (!CODE.test(relative)) return [relative];
    const bare = relative.replace(CODE, '');
    return [relative, relative.replace(/\.([mc]?)tsx?$/, '.$1js'), bare, ...(bare.endsWith('/index') ? [bare.slice(0, -'/index'.length)] : [])];
  }

  const importOf = (path, query = '') => t.arrowFunctionExpression([], t.importExpression(text(written(path)[0] + query)));
  const others = () => files.filter((one) => one !== file && !DECLARATIONS.test(one));

  function pattern(path) {
    const from = path.node.source ?? path.node.arguments?.[0];
    if (from?.type === 'TemplateLiteral' && from.expressions.length === 0) {
      path.replaceWith(t.importExpression(text(from.quasis[0].value.cooked)));
      return;
    }
    const words = from === undefined || from.type === 'StringLiteral' ? null : wordsOf(from);
    if (words === null || typeof words[0] !== 'string' || !FILE_LIKE.test(words[0])) return; // checks.mjs tells of it
    const fits = new RegExp(`^${words.map((one) => (one === null ? '[^/]+' : escaped(one))).join('')}$`);
    const found = new Map(others().flatMap((one) => written(one).filter((name) => fits.test(name)).map((name) => [name, one])));
    if (found.size === 0) {
      problem(path.node, 'missing_file', 'No file of the script fits what is imported here.', 'An expression stands for one part of a path, without a slash: import(`./pages/${name}.ts`).');
      path.replaceWith(t.nullLiteral());
      return;
    }
    const table = t.objectExpression([...found].map(([name, one]) => t.objectProperty(text(name), importOf(one))));
    path.replaceWith(chosen({ TABLE: table, NAME: from }));
    path.skip();
  }

  const valueOf = (node) => {
    if (/^(String|Boolean)Literal$/.test(node?.type ?? '')) return node.value;
    if (node?.type === 'ArrayExpression') return node.elements.map(valueOf);
    if (node?.type === 'ObjectExpression') return Object.fromEntries(node.properties.map(({ key, value }) => [key?.name ?? key?.value, valueOf(value)]));
    return node === undefined ? undefined : NaN;
  };

  function glob(path) {
    const [patterns, options = {}] = path.node.arguments.map(valueOf);
    const list = [patterns].flat();
    const { eager = false, import: name, query = '', ...rest } = typeof options === 'object' ? options : { wrong: true };
    if (!list.every((one) => typeof one === 'string' && /^!?(?:\.{0,2}|\*\*)\//.test(one)) || Object.keys(rest).length > 0 || !['', '?raw'].includes(query)) {
      problem(path.node, 'dynamic_import', 'import.meta.glob takes patterns of files as strings, and the options eager, import and query: "?raw".', 'Write import.meta.glob("./pages/*.ts", { eager: true }).');
      path.replaceWith(t.objectExpression([]));
      return;
    }
    const test = (one, at) => globbed(at.startsWith('/') ? at : posix.join(folder, at)).test(`/${one}`);
    const found = others().filter((one) => list.some((at) => !at.startsWith('!') && test(one, at)) && !list.some((at) => at.startsWith('!') && test(one, at.slice(1)))).sort();
    const shown = (one) => (list.find((at) => !at.startsWith('!') && test(one, at)).startsWith('/') ? `/${one}` : written(one)[0]);
    const program = path.findParent((one) => one.isProgram());
    const properties = found.map((one) => {
      if (eager) {
        const id = program.scope.generateUidIdentifier('module');
        program.unshiftContainer('body', t.importDeclaration([t.importNamespaceSpecifier(id)], text(written(one)[0] + query)));
        return t.objectProperty(text(shown(one)), name === undefined ? t.identifier(id.name) : t.memberExpression(t.identifier(id.name), text(name), true));
      }
      const loaded = importOf(one, query);
      if (name !== undefined) loaded.body = t.callExpression(t.memberExpression(loaded.body, t.identifier('then')), [t.arrowFunctionExpression([t.identifier('module')], t.memberExpression(t.identifier('module'), text(name), true))]);
      return t.objectProperty(text(shown(one)), loaded);
    });
    path.replaceWith(t.objectExpression(properties));
  }

  return {
    name: 'aiwebengine-surroundings',
    visitor: {
      Program: {
        enter(program) {
          program.traverse({
            MetaProperty: ofMeta,
            MemberExpression: ofNode,
            ReferencedIdentifier(path) {
              const make = mine ? NAMES.get(path.node.name) : undefined;
              if (make !== undefined && path.isIdentifier() && !path.scope.hasBinding(path.node.name)) path.replaceWith(make());
            },
            ...(mine ? { ImportExpression: pattern, CallExpression(path) { if (path.node.callee.type === 'Import') pattern(path); } } : {}),
          });
          // A file that asks for import.meta is a module, also when nothing else tells so any more.
          if (found.meta) program.pushContainer('body', t.exportNamedDeclaration(null, []));
        },
      },
    },
  };
}

function escaped(word) {
  return word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/* A pattern of files as a regular expression: `*`, `**`, `?`, `{a,b}`. */
function globbed(pattern) {
  const source = pattern.split(/(\*\*\/|\*\*|\*|\?|\{[^{}]*\})/).map((one, at) => {
    if (at % 2 === 0) return escaped(one);
    if (one.startsWith('{')) return `(?:${one.slice(1, -1).split(',').map(escaped).join('|')})`;
    return { '**/': '(?:[^/]+/)*', '**': '.*', '*': '[^/]*', '?': '[^/]' }[one];
  });
  return new RegExp(`^${source.join('')}$`);
}

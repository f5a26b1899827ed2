/*
 * Runs the programs of beside.py in node, each as a module of its own, and prints what each told.
 */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

const { folder, ending, modules, options, cases } = JSON.parse(await text(process.stdin));
const typescript = /tsx?$/.test(ending) ? createRequire(join(modules, 'package.json'))('typescript-5') : null;

function compiled(source, name) {
  if (typescript === null) return source;
  const { ModuleKind, ScriptTarget, JsxEmit } = typescript;
  const compilerOptions = {
    module: ModuleKind.ESNext, target: ScriptTarget.ES2022, jsx: JsxEmit.React, jsxFactory: 'h', jsxFragmentFactory: 'Fragment',
    useDefineForClassFields: true, ...options,
  };
  const { outputText, diagnostics } = typescript.transpileModule(source, { compilerOptions, reportDiagnostics: true, fileName: name });
  if (diagnostics.length > 0) throw new Error(typescript.flattenDiagnosticMessageText(diagnostics[0].messageText, '\n'));
  return outputText;
}

const found = {};
for (const [number, { name, source }] of cases.entries()) {
  const lines = [];
  globalThis.out = (...values) => {
    lines.push(values.map((value) => { const told = typeof value === 'string' ? value : JSON.stringify(value); return told === undefined ? String(value) : told; }).join(' '));
  };
  try {
    const path = join(folder, `${number}.mjs`);
    writeFileSync(path, compiled(source, `${number}.${ending}`));
    await import(pathToFileURL(path));
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    found[name] = lines;
  } catch (error) {
    found[name] = `node: ${error.stack}`;
  }
}
process.stdout.write(JSON.stringify(found));

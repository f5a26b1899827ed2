// Makes graphql_words.json: what graphql-js answers to operations, for a comparison with the server.
// In a folder with graphql-js of the version that graphql-core follows: node graphql_words.mjs > graphql_words.json
import { buildSchema, execute, parse, validate } from "graphql";

const SDL = `type Query {
  echo(n: Int, f: Float, s: String, b: Boolean, id: ID, list: [Int!], c: Color, in: In): String
  bad(what: String): Bad badlist(what: String): [Int!] nonnull(what: String): Int! any(v: Any): Any ret: Ret
}
enum Color { RED GREEN } input In { a: Int! b: String c: Color list: [Int] one: In } scalar Any type Ret { a: Int }
type Bad { i: Int f: Float s: String b: Boolean id: ID c: Color l: [Int] nn: Int! any: Any }`;
const VALUES = `({ none: null, str: "abc", num: 1.5, big: 1e300, small: 1e-7, bool: true, obj: { a: 1, b: null, c: [true, "x"] },
  arr: [1, "a", null], neg: -0, int: 3, huge: 12345678901, sint: "3", hex: "0x10", spaces: " ", empty: "", s21: 1e21,
  f100: 100.5, e16: 1e16, e17: 123456789012345680000, sm: 0.000001, sm5: 0.00001, sm2: 1.5e-10, ea: [], eo: {} })`;
const values = eval(VALUES);
const root = {
  echo: (args) => JSON.stringify(args), any: ({ v }) => v, ret: () => ({ a: 1 }), badlist: ({ what }) => values[what],
  nonnull: ({ what }) => values[what],
  bad: ({ what }) => Object.fromEntries(["i", "f", "s", "b", "id", "c", "l", "nn", "any"].map((name) => [name, values[what]])),
};
const types = { n: "Int", f: "Float", s: "String", b: "Boolean", id: "ID", list: "[Int!]", c: "Color", in: "In" };
const literals = ["null", "true", "1", "1.5", "-0", "1e3", "99999999999", '"x"', "[1]", '["a", null]', "{a: 1}", "{a: null}",
  '{b: "x"}', "{a: 1, z: 2}", '{a: "x"}', '{a: 1, list: [1, "a"]}', "RED", "BLUE", "redd", "[]", "{}", '""', "1.0"];
const variables = ["null", "true", "1", "1.5", "-0.0", "1e3", "99999999999", '"x"', "[1]", '["a",null]', "[null]", '{"a":1}',
  '{"a":null}', '{"b":"x"}', '{"a":1,"z":2}', '{"a":1,"list":[1,"a"]}', '"RED"', '"BLUE"', "[]", "{}", '""', "1.0", "1e-7",
  "123456789012345680000", '{"a":{"b":[1,null,true,"q\\"uote"]}}', '"a\\nb"', "5e-324", "0.1"];
const asked = [];
for (const field of ["i", "f", "s", "b", "id", "c", "l", "nn", "any"]) for (const what in values) asked.push([`{ bad(what: "${what}") { ${field} } }`]);
for (const what in values) asked.push([`{ badlist(what: "${what}") }`], [`{ nonnull(what: "${what}") }`]);
for (const name in types) {
  for (const one of literals) asked.push([`{ echo(${name}: ${one}) }`]);
  for (const one of variables) if (!(name === "id" && one.length > 20)) asked.push([`query($v: ${types[name]}) { echo(${name}: $v) }`, `{"v":${one}}`]);
  asked.push([`query($v: ${types[name]}!) { echo(${name}: $v) }`, "{}"], [`query($v: ${types[name]} = 5) { echo(${name}: $v) }`, "{}"]);
}
for (const one of literals) asked.push([`{ any(v: ${one}) }`]);
for (const one of variables) asked.push(["query($v: Any) { any(v: $v) }", `{"v":${one}}`]);
for (const one of ["{ nope }", "{ ret }", "{ ret { a { b } } }", "query A { echo } query B { echo }", "{ echo(x: 1) }", "{ echo @skip }",
  "{ echo @skip(if: 1) }", "{ echo @nope }", "{ ...F }", "fragment F on Query { echo }", "query($v: Nope) { echo(n: $v) }",
  "query($v: Ret) { echo(n: $v) }", "query($v: Int) { echo }", "query($v: String) { echo(n: $v) }", "{", '{ echo(s: "abc }',
  '{ echo(s: "\\q") }', '{ echo(s: "\\u{110000}") }', "{ echo ? }", "{ echo(n: 01) }", "{ echo(n: 1.) }", "{ echo(n: 1e) }",
  "mutation { x }", "type A { b: C }", "{ __type(name: 5) { name } }", "{ a: echo a: ret { a } }", "{ é }",
  "query Q($v: Int!, $v: Int!) { echo(n: $v) }"]) asked.push([one]);

const shown = (error) => ({ message: error.message, locations: error.toJSON().locations, path: error.path });
const lines = [];
for (const [query, given] of asked) {
  let result;
  try {
    const document = parse(query), errors = validate(schema(), document);
    result = errors.length ? { errors } : await execute({ schema: schema(), document, rootValue: root, variableValues: given && JSON.parse(given) });
  } catch (error) { result = { errors: [error] }; }
  lines.push(JSON.stringify([query, given ?? "", (result.errors ?? []).map(shown), result.data === undefined ? null : JSON.stringify(result.data)]));
}
function schema() { return schema.made ??= buildSchema(SDL); }
console.log(`{"sdl":${JSON.stringify(SDL)},"values":${JSON.stringify(VALUES)},"answers":[\n${lines.join(",\n")}\n]}`);

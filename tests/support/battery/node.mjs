/* Prints what node makes of the probes in a file: a JSON list of [source, outcome]. */
import { outcomes } from './describe.js';

const [, , name] = process.argv;
const { default: probes } = await import(`./${name}.js`);
const seen = await outcomes(probes);
process.stdout.write(JSON.stringify(probes.map((probe, i) => [String(probe).replace(/^(?:async )?\(\) => /, ''), seen[i]])));

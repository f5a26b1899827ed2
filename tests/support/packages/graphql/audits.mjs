/* Runs all audits against a server; writes a line of JSON for each. */
import { auditServer } from 'graphql-http';

const found = await auditServer({ url: process.argv[2], fetchFn: fetch });
for (const one of found) console.log(JSON.stringify({ type: one.status, id: one.id, name: one.name, reason: one.reason ?? null }));

/* What the child of process.mjs does. */
process.on('message', ({ id, req }) => process.send({ id, body: JSON.stringify({ hello: req.params.name }) }));

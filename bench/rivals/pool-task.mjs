/* What a thread of pool.mjs does. */
export default (req) => JSON.stringify({ hello: req.params.name });

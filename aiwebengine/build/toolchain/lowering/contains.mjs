/*
 * Whether a tree holds a node of some kind, found without Babel's paths: a traversal makes one for every node, which costs
 * ten times as much as looking at the nodes.
 */

/**
 * @param {object} t - Babel's types.
 * @param {object} root - The node to begin with; it counts too.
 * @param {function(object): boolean} wanted - Tells whether a node is of the kind.
 * @returns {boolean} Whether there is one.
 */
export function contains(t, root, wanted) {
  return t.traverseFast(root, (node) => (wanted(node) ? t.traverseFast.stop : undefined));
}

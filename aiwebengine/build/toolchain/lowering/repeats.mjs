/*
 * The sandbox's own rewriting of repeats (sandbox/prelude/repeats.js), for the literals of a script.
 *
 * That file speaks to `__kernel`; assemble.mjs injects the one of kernel.mjs.
 */
import { kernel } from './kernel.mjs';
import '../../../../sandbox/prelude/repeats.js';

export const { boundRepeats } = kernel;

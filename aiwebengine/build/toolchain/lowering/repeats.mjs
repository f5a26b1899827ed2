/*
 * The sandbox's own rewriting of repeats (sandbox/prelude/language/repeats.js), for the literals of a script.
 *
 * That file speaks to `__kernel`; assemble.mjs injects the one of kernel.mjs.
 */
import { kernel } from './kernel.mjs';
import '../../../../sandbox/prelude/language/repeats.js';

export const { boundRepeats } = kernel;

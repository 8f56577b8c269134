// Of what a mirror tells, what its keeper understands.

/** It says about this that both sides are the same. */
export const sameKey = 'same'
/** It says so where another one keeps the directory current. */
export const keptAlready = 'has a mirror already that is running'
/** Warnings about these mean that they are not. */
export const notCurrent: ReadonlySet<unknown> = new Set(['deletions', 'disk', 'servers'])

// What kind of screen the page is on.

/**
 * Whether one points with a finger: there the focus in a text would bring up the keyboard over what one
 * came to read.
 */
export function isTouched(): boolean {
  return matchMedia('(pointer: coarse)').matches
}

// Small choices that outlive a reload: pane sizes, the theme, the screen name.

export interface Remembered<T> {
  read(): T
  write(value: T): void
}

/** For all tabs of this browser, or for one tab and its reloads. */
export type Where = 'device' | 'tab'

/**
 * A value kept in the browser under "fourfold.<key>". What is missing or not `isValid` reads as
 * `otherwise`. Never throws: a browser that forbids storage forgets, and nothing else.
 */
export function remembered<T>(
  where: Where,
  key: string,
  otherwise: T,
  isValid: (value: unknown) => boolean,
): Remembered<T> {
  const name = `fourfold.${key}`
  const storage = () => (where === 'device' ? localStorage : sessionStorage)
  return {
    read() {
      try {
        const value: unknown = JSON.parse(storage().getItem(name) ?? 'null')
        return isValid(value) ? (value as T) : otherwise
      } catch {
        // Forbidden, or somebody else's content: as if nothing had been chosen.
        return otherwise
      }
    },
    write(value) {
      try {
        storage().setItem(name, JSON.stringify(value))
      } catch {
        // Forbidden or full: the choice lasts until the next reload; no text depends on it.
      }
    },
  }
}

export const isString = (value: unknown): boolean => typeof value === 'string'
export const isBoolean = (value: unknown): boolean => typeof value === 'boolean'
export const isNumber = (value: unknown): boolean => Number.isFinite(value)

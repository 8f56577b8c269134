// The text of a configuration file, as people's editors write it: JSON, in UTF-8, each key once.

import { configurationBytesMax } from '../core/model/limits.ts'

/** Reads it. Throws Error with what is wrong, as the end of a sentence. */
export function parseText(bytes: Uint8Array): unknown {
  if (bytes.length > configurationBytesMax) {
    throw new Error(
      `has more than ${configurationBytesMax / 1024 / 1024} MiB, which no configuration has`,
    )
  }
  const text = decoded(bytes)
  const json = parsed(text)
  const twice = doubledKey(text)
  if (twice !== undefined) throw new Error(`"${twice}" is there twice in one object`)
  return json
}

function decoded(bytes: Uint8Array): string {
  try {
    // Without the mark that Windows puts before it.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error('is not UTF-8: save it as UTF-8')
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // It quotes some of the text, line ends and all.
    const said = (error as Error).message.replace(/[\s\p{Cc}]+/gu, ' ')
    const hint = notJson.test(text)
      ? ' (it takes no comments, and no comma behind the last item)'
      : ''
    throw new Error(`is not JSON: ${said}${hint}`)
  }
}

/** What other files of this kind may have. Looked for in each line alone: of empty ones there may be many. */
const notJson = /^[ \t]*(\/\/|\/\*|#)|,\s*[}\]]/m

/** The first key that one object of a JSON text has twice: of these the parser takes the last, silently. */
function doubledKey(json: string): string | undefined {
  const open: Set<string>[] = []
  let last = ''
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else if (token !== ':') last = token
    else {
      const key = JSON.parse(last) as string
      if (open.at(-1)!.has(key)) return key
      open.at(-1)!.add(key)
    }
  }
  return undefined
}

// What is said of texts that are only on this device.

import type { KeptText } from '../client/api.ts'

/** What happened, and what is here because of it. */
export function keptWords(texts: readonly KeptText[]): string {
  const outlived = texts.filter(({ why }) => why === 'outlived')
  const unsent = texts.filter(({ why }) => why === 'unsent')
  const erased = texts.filter(({ why }) => why === 'erased')
  const sentences: string[] = []
  if (outlived.length > 0) {
    const have =
      outlived.length === 1
        ? `${outlived[0]!.path} is only on this device, as it was here.`
        : `${outlived.length.toLocaleString('en')} texts are only on this device, as they were here.`
    sentences.push(`The servers were emptied since this device was here. ${have}`)
  }
  if (erased.length === 1) {
    const [{ path }] = erased as [KeptText]
    sentences.push(`${path} was deleted for good before your last changes reached a server.`)
  } else if (erased.length > 1) {
    const count = erased.length.toLocaleString('en')
    sentences.push(
      `${count} files were deleted for good before your last changes reached a server.`,
    )
  }
  if (unsent.length > 0) {
    const have =
      unsent.length === 1
        ? `${unsent[0]!.path} has words that are`
        : `${unsent.length.toLocaleString('en')} texts have words that are`
    const why = 'This browser lost the key that they were written with, and no server takes them.'
    sentences.push(`${have} only on this device. ${why}`)
  }
  return sentences.join(' ')
}

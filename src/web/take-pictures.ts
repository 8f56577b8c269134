// Takes pictures into the text that is shown: brings them up, shows that, and puts the links in.

import type { EditorView } from '@codemirror/view'
import * as Y from 'yjs'
import type { Client } from '../client/api.ts'
import { FourfoldError } from '../core/model/errors.ts'
import { byHand, type OpenFile } from './open-file.ts'
import { showSign } from './picture-paste.ts'
import { bringPictures } from './pictures.ts'
import { notify } from './toasts.tsx'
import type { Sending } from './upload.ts'

/** So often the sign says how far they are. */
const tellEveryMs = 100

/** Resolves when the links are in the text, or it was said why not. */
export async function takePictures(
  client: Client,
  open: OpenFile,
  view: EditorView,
  pictures: File[],
  at: number,
): Promise<void> {
  const { id } = open.live
  const stop = new AbortController()
  const key = {}
  const words = pictures.length === 1 ? pictures[0]!.name : `${pictures.length} pictures`
  const show = (state: string) =>
    showSign(view, key, at, { words: `${words}: ${state}`, stop: () => stop.abort() })
  let toldAt = 0
  const tell = (sending: Sending) => {
    const now = performance.now()
    if (now - toldAt < tellEveryMs && sending.stage !== 'waiting') return
    toldAt = now
    show(wordsOf(sending))
  }
  // Held open, whatever the person looks at meanwhile.
  const live = client.open(id)
  const place = Y.createRelativePositionFromTypeIndex(live.text, at)
  show('on its way')
  try {
    const { links, problems } = await bringPictures(
      { client, signal: stop.signal, tell },
      id,
      pictures,
    )
    showSign(view, key, at)
    if (links.length > 0) insert(open, view, place, links.join('\n'))
    if (problems.length > 0) notify(problems.join(' '), undefined, { stays: true })
  } catch (error) {
    showSign(view, key, at)
    if (!stop.signal.aborted && !(error instanceof FourfoldError)) throw error
    if (stop.signal.aborted) notify(`Stopped; ${words} ${isOne(pictures) ? 'is' : 'are'} not here.`)
    else notify((error as Error).message)
  } finally {
    live.close()
  }
}

function insert(open: OpenFile, view: EditorView, place: Y.RelativePosition, links: string): void {
  const { live, undo } = open
  const { doc, text } = live
  const index = Y.createAbsolutePositionFromRelativePosition(place, doc)?.index ?? text.length
  const { main } = view.state.selection
  const isAtCaret = main.empty && main.head === index
  // A step of its own to undo.
  undo.stopCapturing()
  doc.transact(() => text.insert(index, links), byHand)
  undo.stopCapturing()
  if (isAtCaret && view.dom.isConnected) {
    view.dispatch({ selection: { anchor: index + links.length }, scrollIntoView: true })
  }
}

function isOne({ length }: File[]): boolean {
  return length === 1
}

function wordsOf({ stage, bytes, size }: Sending): string {
  if (stage === 'waiting') return 'waits for a server'
  return stage === 'reading' ? 'on its way' : `${Math.floor((100 * bytes) / Math.max(1, size))}%`
}

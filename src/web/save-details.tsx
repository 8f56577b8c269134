// What the status chip knows: the sentences, the servers one by one, the moves between them.

import { Button } from 'react-aria-components'
import type { ServerInfo } from '../client/api.ts'
import { useClient, useNow } from './client-context.tsx'
import { copy, download } from './download.ts'
import type { OpenFile } from './open-file.ts'
import { chipWords, clock } from './save-words.ts'
import { notify } from './toasts.tsx'

interface SaveDetailsProps {
  file: OpenFile | undefined
  fileName: string
  hasUpdate: boolean
}

/** What the chip itself does not tell is looked at so often. */
const lookEveryMs = 250

/** Moves shown: the last few tell what happened. */
const movesShown = 5

export function SaveDetails({ file, fileName, hasUpdate }: SaveDetailsProps) {
  const client = useClient()
  const { save, connection, servers } = client
  const words = chipWords({
    ...{ save, connection, servers },
    changedAt: file?.lastChangeAt ?? 0,
    isOnItsWay: file?.live.receipt().servers.length === 0,
    now: useNow(lookEveryMs, true),
  })
  const isOnline = connection.name === 'online'
  // Not while none is dialled only: it would come and go under the mouse.
  const hasNoServer = save.name === 'local' || save.name === 'danger'
  // A text that servers do not take is only here, and waits for nothing.
  const isOnlyHere = save.name === 'ended' && (isOnline || save.waiting + save.earlier > 0)
  const isAtRisk = save.name === 'danger' || isOnlyHere
  return (
    <>
      <h2 className={`tone-${words.tone}`}>{words.text}</h2>
      {words.sentences.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {hasNoServer && (
        <Button className="button primary" onPress={() => client.retry()}>
          Retry now
        </Button>
      )}
      {isAtRisk && file && <KeepText file={file} fileName={fileName} />}
      {servers.length > 0 && (
        <ul className="servers" aria-label="Servers">
          {servers.map((server) => (
            <li
              key={server.id}
              className={`server is-${isKnown(server, isOnline) ? server.state : 'unknown'}`}
            >
              <span className="server-dot" aria-hidden />
              <span className="server-name">{server.id}</span>
              <span>{isKnown(server, isOnline) ? serverWords(server) : 'not reached'}</span>
              <span className="muted server-heard">{heardWords(server, isOnline)}</span>
              {connection.name === 'online' && connection.server === server.id && (
                <span className="tag">this page</span>
              )}
            </li>
          ))}
        </ul>
      )}
      {client.moves.length > 0 && (
        <ul className="moves" aria-label="Changes of server">
          {client.moves
            .slice(-movesShown)
            .reverse()
            .map((move) => (
              <li key={`${move.at}${move.to}`} className="muted">
                {clock(move.at, true)} moved {move.from} → {move.to} in {Math.round(move.tookMs)} ms
              </li>
            ))}
        </ul>
      )}
      {hasUpdate && (
        <p>
          Update ready.{' '}
          <Button className="text-button" onPress={() => location.reload()}>
            Reload
          </Button>{' '}
          when you like.
        </p>
      )}
    </>
  )
}

/** What servers told of each other is of the past while none of them is reached. */
function isKnown({ state }: ServerInfo, isOnline: boolean): boolean {
  return isOnline || state === 'down'
}

function serverWords(server: ServerInfo): string {
  switch (server.state) {
    case 'live':
      return 'up'
    case 'behind':
      return server.lag > 0 ? `${server.lag.toLocaleString('en')} changes behind` : 'catching up'
    case 'down':
      return 'down'
  }
}

function heardWords(server: ServerInfo, isOnline: boolean): string {
  if (server.heardAt <= 0) return 'not heard yet'
  if (server.state === 'down') return `since ${clock(server.heardAt)}`
  // A server that has not heard another for a second says so at once, and only then.
  return isOnline ? 'heard just now' : ''
}

/** Ways to carry the text away when neither a server nor this device keeps it. */
export function KeepText({ file, fileName }: { file: OpenFile; fileName: string }) {
  const text = () => file.live.text.toString()
  const copyAll = () =>
    void copy(text()).then(
      () => notify('The whole text is on the clipboard'),
      () => notify('This browser forbids the clipboard; use Download'),
    )
  return (
    <span className="actions">
      <Button className="button" onPress={copyAll}>
        Copy all text
      </Button>
      <Button className="button" onPress={() => download(fileName, text())}>
        Download
      </Button>
    </span>
  )
}

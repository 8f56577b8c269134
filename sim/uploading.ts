// How a simulated person uploads bytes, as the page does: piece by piece to one server; where that breaks
// off it goes on at the next, with what that one has of them. Then the other live servers get the time to
// fetch them: an entry that names them may go to any.

import { pieceBytes } from './keeper.ts'
import type { HostName, Network } from './network.ts'
import type { SimulatedServer } from './server.ts'
import { hashOf, type BytesName } from './shelf.ts'
import type { Timeline } from './timeline.ts'

const pieceMs = 4
const retryMs = 60
/** A server that does not answer so long after the last piece has died. */
const answerMs = 600
/** So long the other servers are waited for, and so often they are asked. */
const spreadMs = 600
const askMs = 40

export interface Upload {
  timeline: Timeline
  network: Network
  servers: ReadonlyMap<HostName, SimulatedServer>
  person: HostName
  bytes: Uint8Array
  /** The servers in the order in which they are tried. */
  order: () => readonly HostName[]
  /** Nobody waits for it any more. */
  isOver: () => boolean
}

/** `done` follows once, when a server has all of it, verified and flushed, and the others had the time. */
export function uploadTo(upload: Upload, done: (name: BytesName) => void): void {
  const { timeline, bytes, order, isOver } = upload
  const name = { hash: hashOf(bytes), size: bytes.length }
  let tries = 0
  const goOn = () => {
    if (isOver()) return
    const hosts = order()
    const host = hosts[tries++ % hosts.length]!
    sendTo(upload, host, name, (isThere) => {
      if (isThere) waitForOthers(upload, host, name, timeline.now + spreadMs, () => done(name))
      else timeline.after(retryMs, goOn)
    })
  }
  goOn()
}

/** `ended` follows once, with whether that server has all of it. */
function sendTo(
  upload: Upload,
  host: HostName,
  name: BytesName,
  ended: (isThere: boolean) => void,
): void {
  const { timeline, network, servers, person, bytes, isOver } = upload
  const keeper = servers.get(host)!.keeper
  const canReach = () =>
    servers.get(host)!.keeper === keeper &&
    !network.isFrozen(person) &&
    areConnected(network, person, host)
  if (!keeper?.isTaking || !canReach()) return ended(false)
  if (keeper.shelf.has(name.hash)) return ended(true)
  const from = keeper.begin(name.hash)
  if (from === undefined) return ended(false)
  let hasEnded = false
  const end = (isThere: boolean) => {
    if (hasEnded) return
    hasEnded = true
    ended(isThere && canReach())
  }
  const send = (at: number) =>
    timeline.after(pieceMs, () => {
      if (isOver() || !canReach()) {
        keeper.leave(name.hash)
        end(false)
        return
      }
      const next = at + pieceBytes
      keeper.take(name, bytes.subarray(at, next), end)
      if (next < bytes.length) send(next)
      else timeline.after(answerMs, () => end(false))
    })
  send(from)
}

/** Until all that serve, and can be reached from this one, have it; or it is too long. */
function waitForOthers(
  upload: Upload,
  host: HostName,
  { hash, size }: BytesName,
  until: number,
  done: () => void,
): void {
  const { timeline, network, servers, isOver } = upload
  if (isOver()) return
  const others = [...servers.values()].filter(
    ({ name, isServing }) => isServing && name !== host && areConnected(network, host, name),
  )
  const isThere = others.every(({ disk }) => disk.shelf.has(hash))
  if (isThere || timeline.now >= until || !servers.get(host)!.isUp) return done()
  timeline.after(askMs, () => waitForOthers(upload, host, { hash, size }, until, done))
}

function areConnected(network: Network, from: HostName, to: HostName): boolean {
  return !network.isCut(from, to) && !network.isFrozen(to)
}

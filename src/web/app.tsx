// Who is this? First the screen name, then the workspace of that person.

import { useCallback, useEffect, useState } from 'react'
import { indexedDbStorage } from '../adapters/storage/indexeddb.ts'
import type { Client, Outlived } from '../client/api.ts'
import { connect } from '../client/index.ts'
import { FourfoldError } from '../core/model/errors.ts'
import { ClientProvider } from './client-context.tsx'
import { forgetToken, givePassword, passwordAsked, token } from './pass.ts'
import { isString, remembered } from './remembered.ts'
import { type Problem, SignIn } from './sign-in.tsx'
import { Workspace } from './workspace.tsx'

/** The last name used in this browser, to fill in the form. */
const lastName = remembered('device', 'name', '', isString)
/** The name this tab is signed in with: a reload goes on without asking. */
const tabName = remembered('tab', 'name', '', isString)

const storage = indexedDbStorage('fourfold')

/** Nobody waits longer than this for a server before they may write. */
const waitForServerMs = 2000

type Stage =
  | { name: 'asking'; wanted: string; problem?: Problem }
  | { name: 'joining'; wanted: string }
  | { name: 'here'; client: Client }

export function App() {
  const [stage, setStage] = useState<Stage>(() =>
    tabName.read() === ''
      ? { name: 'asking', wanted: lastName.read() }
      : { name: 'here', client: connectAs(tabName.read()) },
  )
  useEffect(() => {
    next = (old, client) => {
      setStage((shown) => {
        return shown.name === 'here' && shown.client === old ? { name: 'here', client } : shown
      })
    }
  }, [])

  const signIn = useCallback(async (wanted: string, password: string | undefined) => {
    setStage({ name: 'joining', wanted })
    const wrong = password === undefined ? undefined : await givePassword(password)
    if (wrong !== undefined) {
      setStage({ name: 'asking', wanted, problem: { field: 'password', text: wrong } })
      return
    }
    const first = connectAs(wanted)
    const refused = await refusal(first)
    const client = latest(first)
    if (refused !== undefined) {
      client.close()
      if (refused.code === 'unauthenticated') passwordAsked()
      setStage({ name: 'asking', wanted, problem: problemOf(refused) })
      return
    }
    lastName.write(wanted)
    tabName.write(wanted)
    setStage({ name: 'here', client })
  }, [])

  const client = stage.name === 'here' ? stage.client : undefined
  useEffect(() => {
    if (client === undefined) return
    const rest = () => client.rest()
    window.addEventListener('pagehide', rest)
    const end = retryWhenBack(client)
    return () => {
      window.removeEventListener('pagehide', rest)
      end()
    }
  }, [client])

  if (stage.name !== 'here') {
    return (
      <SignIn
        wanted={stage.wanted}
        problem={stage.name === 'asking' ? stage.problem : undefined}
        isJoining={stage.name === 'joining'}
        signIn={(name, password) => void signIn(name, password)}
      />
    )
  }

  const leave = () => {
    tabName.write('')
    stage.client.close()
    setStage({ name: 'asking', wanted: lastName.read() })
  }
  const signOut = () => {
    forgetToken()
    leave()
  }
  const renameMe = (wanted: string) => {
    lastName.write(wanted)
    tabName.write(wanted)
    // The same client: what was written may be here alone, and can still be undone.
    stage.client.retry({ name: wanted, token: token() })
  }
  return (
    <ClientProvider value={stage.client}>
      <Workspace key={clientKey(stage.client)} {...{ leave, signOut, renameMe }} />
    </ClientProvider>
  )
}

/** A client whose servers live another life has a successor that knows nothing of the one before. */
const successors = new WeakMap<Client, Client>()
/** The client that took over from this one, or itself. */
function latest(client: Client): Client {
  const successor = successors.get(client)
  return successor ? latest(successor) : client
}

/** Shows a successor in the place of a client. */
let next: (old: Client, client: Client) => void = () => undefined

function connectAs(name: string, after?: Outlived): Client {
  const client = connect({
    servers: [location.origin],
    name,
    agent: 'page',
    storage,
    token: token(),
    folder: 'shown',
    ...(after && { after }),
  })
  client.onOutlived((outlived) => {
    const successor = connectAs(client.name, outlived)
    successors.set(client, successor)
    next(client, successor)
  })
  return client
}

function problemOf({ code, message }: FourfoldError): Problem {
  if (code === 'unauthenticated') return { field: 'password', text: '' }
  return { field: 'name', text: message, isTaken: code === 'taken' }
}

/** Why the servers turn this client away; undefined when they let it in, or none answers. */
async function refusal(client: Client): Promise<FourfoldError | undefined> {
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, waitForServerMs))
  try {
    await Promise.race([client.joined(), late])
    return undefined
  } catch (error) {
    const successor = successors.get(client)
    if (successor) return refusal(successor)
    if (error instanceof FourfoldError) return error
    throw error
  }
}

/** A person who comes back to the page, or whose network does, need not wait for the next try. */
function retryWhenBack(client: Client): () => void {
  const retry = () => {
    if (document.visibilityState === 'visible' && client.connection.name === 'offline') {
      client.retry()
    }
  }
  window.addEventListener('online', retry)
  document.addEventListener('visibilitychange', retry)
  return () => {
    window.removeEventListener('online', retry)
    document.removeEventListener('visibilitychange', retry)
  }
}

const keys = new WeakMap<Client, number>()
let keyCount = 0

/** Another client, another workspace: nothing of the old one's documents may linger. */
function clientKey(client: Client): number {
  const key = keys.get(client) ?? ++keyCount
  keys.set(client, key)
  return key
}

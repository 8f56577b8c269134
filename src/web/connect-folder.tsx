// How a directory of one's own computer is kept the same as the folder: the command, to copy.

import { Copy } from 'lucide-react'
import { Fragment } from 'react'
import { useClient } from './client-context.tsx'
import { copy } from './download.ts'
import { IconButton } from './icon-button.tsx'
import { token } from './pass.ts'
import { notify } from './toasts.tsx'

export function ConnectFolder() {
  const { servers } = useClient()
  const known = servers.map(({ address }) => address)
  const addresses = known.length > 0 ? known : [location.origin]
  const command = `npx fourfold mirror notes --servers ${addresses.join(',')}`
  return (
    <section className="connect-folder" aria-label="Connect your own folder">
      <p>
        In a terminal, beside a folder called <code>notes</code>, with Fourfold installed there:
      </p>
      <span className="command">
        <code>
          npx fourfold mirror notes <span className="option">--servers</span>{' '}
          {addresses.map((address, at) => (
            <Fragment key={address}>
              {at > 0 && ','}
              <wbr />
              {address}
            </Fragment>
          ))}
        </code>
        <IconButton
          label="Copy the command"
          icon={<Copy size={16} aria-hidden />}
          onPress={() => void copied(command)}
        />
      </span>
      <p className="muted">
        {token() !== '' && 'Set FOURFOLD_PASSWORD to the password first. '}
        What is in it comes here, what is written here goes there, as long as the command runs.
      </p>
    </section>
  )
}

async function copied(command: string): Promise<void> {
  try {
    await copy(command)
    notify('The command is on the clipboard')
  } catch {
    notify('The browser forbids the clipboard. Select the command to copy it.')
  }
}

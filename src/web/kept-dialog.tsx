// What is to become of texts that are only on this device: files again, a download, or nothing.

import { downloadZip } from 'client-zip'
import { useState } from 'react'
import { Button, Heading } from 'react-aria-components'
import type { KeptText } from '../client/api.ts'
import { PuttingBack } from '../client/index.ts'
import { FourfoldError } from '../core/model/errors.ts'
import { useClient } from './client-context.tsx'
import { download, downloadBlob } from './download.ts'
import { ModalDialog } from './modal-dialog.tsx'
import { notify } from './toasts.tsx'

/** Where they are put back. */
const directory = 'Kept by this device'
/** More would not be read through. */
const shownMax = 1000

type Step = { name: 'asking' } | { name: 'forgetting' } | { name: 'working' }

export function KeptDialog({ close }: { close: () => void }) {
  const client = useClient()
  const texts = client.keptTexts
  const [step, setStep] = useState<Step>({ name: 'asking' })
  const [problem, setProblem] = useState('')
  const [puttingBack] = useState(() => new PuttingBack(client, directory))
  const isOnline = client.connection.name === 'online'
  const rest = texts.length - shownMax

  const put = async () => {
    setStep({ name: 'working' })
    try {
      const { name } = await puttingBack.put(texts)
      close()
      notify(`They are in “${name}” now.`)
    } catch (error) {
      if (!(error instanceof FourfoldError)) throw error
      setProblem(error.message)
      setStep({ name: 'asking' })
    }
  }
  const forget = () => {
    void client.forgetKept(texts)
    close()
  }
  const isWorking = step.name === 'working'
  return (
    <ModalDialog look="asking" close={close}>
      <Heading slot="title" level={2}>
        Only on this device
      </Heading>
      <p>
        These are texts as they were here. The servers do not have them so. Nothing happens to them
        before you decide.
      </p>
      <ul className="left-out" aria-label="Texts on this device" tabIndex={0}>
        {texts.slice(0, shownMax).map(({ id, path, text, why }) => (
          <li key={`${id}${why}`}>
            <span className="left-out-path">{path}</span>
            <span className="muted">{beginningOf(text)}</span>
          </li>
        ))}
      </ul>
      {rest > 0 && <p className="muted">And {rest.toLocaleString('en')} more.</p>}
      {problem !== '' && <p role="alert">{problem}</p>}
      {step.name === 'forgetting' ? (
        <>
          <p>They cannot be brought back afterwards.</p>
          <span className="actions end">
            <Button className="button" autoFocus onPress={() => setStep({ name: 'asking' })}>
              Cancel
            </Button>
            <Button className="button danger" onPress={forget}>
              Forget them
            </Button>
          </span>
        </>
      ) : (
        <span className="actions end">
          <Button
            className="button"
            isDisabled={isWorking}
            onPress={() => setStep({ name: 'forgetting' })}
          >
            Forget…
          </Button>
          <Button
            className="button"
            isDisabled={isWorking}
            onPress={() => void downloadTexts(texts)}
          >
            Download
          </Button>
          <Button
            autoFocus
            className="button primary"
            isDisabled={isWorking || !isOnline}
            onPress={() => void put()}
          >
            {isWorking ? 'Putting back…' : `Put in “${directory}”`}
          </Button>
        </span>
      )}
    </ModalDialog>
  )
}

const beginningMax = 80

function beginningOf(text: string): string {
  const line = text.trim().split('\n', 1)[0]!
  return line.length > beginningMax ? `${line.slice(0, beginningMax)}…` : line
}

/** One text as it is, several as a zip archive. */
async function downloadTexts(texts: readonly KeptText[]): Promise<void> {
  const [only, ...others] = texts
  if (only && others.length === 0) {
    download(only.path.split('/').at(-1)!, only.text)
    return
  }
  const lastModified = new Date()
  const files = texts.map(({ path, text }) => ({ name: path, input: text, lastModified }))
  downloadBlob(`${directory}.zip`, await downloadZip(files).blob())
}

// Bars between the top bar and the text: the few things a person should know while writing.
// None of them covers the text or takes the focus.

import { FileX, Lock, TriangleAlert } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { Button, Form, Input, Label, TextField } from 'react-aria-components'
import { screenNameMax } from '../core/model/limits.ts'
import type { FileInfo, SaveState } from '../client/api.ts'
import { useClient } from './client-context.tsx'
import type { OpenFile } from './open-file.ts'
import { KeptBar } from './kept-bar.tsx'
import { UntakenBar } from './untaken-bar.tsx'
import { KeepText } from './save-details.tsx'
import { screenNameRule, suggested } from './names.ts'
import { givePassword } from './pass.ts'
import { asSentence } from './save-words.ts'

interface BarsProps {
  file: FileInfo | undefined
  open: OpenFile | undefined
  restore: (file: FileInfo) => void
  saveAs: (file: FileInfo) => void
  close: () => void
  goTo: (id: string) => void
  renameMe: (name: string) => void
}

export function Bars({ file, open, restore, saveAs, close, goTo, renameMe }: BarsProps) {
  const { save, connection } = useClient()
  return (
    <>
      {connection.name === 'refused' &&
        (connection.code === 'taken' ? (
          <NameTakenBar text={connection.text} renameMe={renameMe} />
        ) : connection.code === 'unauthenticated' ? (
          <PasswordBar renameMe={renameMe} />
        ) : (
          <div className="bar tone-muted" role="alert">
            <Lock size={18} aria-hidden />
            <span className="bar-text">{connection.text}</span>
            {open && file && <KeepText file={open} fileName={file.name} />}
          </div>
        ))}
      <KeptBar />
      <UntakenBar {...{ file, open, goTo }} />
      {save.name === 'danger' && (
        <div className="bar tone-danger" role="alert">
          <TriangleAlert size={18} aria-hidden />
          <span className="bar-text">
            <strong>Not saved.</strong> {asSentence(save.why)} Keep this tab open, or take the text
            with you.
          </span>
          {open && file && <KeepText file={open} fileName={file.name} />}
        </div>
      )}
      {file?.isDeleted === true && (
        <div className="bar tone-warn" role="alert">
          <FileX size={18} aria-hidden />
          <span className="bar-text">
            {file.deletedBy === '' ? 'Somebody' : file.deletedBy} deleted{' '}
            {file.isInTrashItself ? 'this file' : 'the folder that this file is in'}. Your text is
            safe.
          </span>
          <span className="actions">
            <Button className="button primary" onPress={() => restore(file)}>
              {file.isInTrashItself ? 'Restore file' : 'Restore folder'}
            </Button>
            <Button className="button" onPress={() => saveAs(file)}>
              Save as new
            </Button>
            <Button className="button" onPress={close}>
              Close
            </Button>
          </span>
        </div>
      )}
    </>
  )
}

function NameTakenBar({ text, renameMe }: { text: string; renameMe: (name: string) => void }) {
  const client = useClient()
  const [name, setName] = useState(() => suggested(client.name))
  const [rule, setRule] = useState<string>()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const broken = screenNameRule(name)
    if (broken === undefined) renameMe(name.trim())
    setRule(broken)
  }
  return (
    <div className="bar tone-warn" role="alert">
      <span className="bar-text">
        {[rule ?? text, keptUntil(client.save, 'you join')].join(' ')}
      </span>
      <Form className="actions" onSubmit={submit}>
        <TextField value={name} onChange={setName} maxLength={screenNameMax}>
          <Label className="visually-hidden">Another name</Label>
          <Input spellCheck="false" />
        </TextField>
        <Button type="submit" className="button primary">
          Join
        </Button>
      </Form>
    </div>
  )
}

/** Where the device keeps nothing, the bar of what is not saved says so. */
function keptUntil(save: SaveState, when: string): string {
  return save.name === 'danger' ? '' : `What you write is kept on this device until ${when}.`
}

/** The password was changed, or was given too long ago. */
function PasswordBar({ renameMe }: { renameMe: (name: string) => void }) {
  const client = useClient()
  const [password, setPassword] = useState('')
  const [problem, setProblem] = useState('Sign in again.')
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const wrong = password === '' ? 'Type the password.' : await givePassword(password)
    if (wrong === undefined) renameMe(client.name)
    else setProblem(wrong)
  }
  return (
    <div className="bar tone-warn" role="alert">
      <Lock size={18} aria-hidden />
      <span className="bar-text">{[problem, keptUntil(client.save, 'you are in')].join(' ')}</span>
      <Form className="actions" onSubmit={(event) => void submit(event)}>
        <TextField
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
        >
          <Label className="visually-hidden">Password</Label>
          <Input placeholder="Password" />
        </TextField>
        <Button type="submit" className="button primary">
          Sign in
        </Button>
      </Form>
    </div>
  )
}

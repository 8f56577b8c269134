// The dialog that asks for a name: of a new file, a copy, a version.

import { useEffect, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import { Button, FieldError, Form, Heading, Input, Label, TextField } from 'react-aria-components'
import { stemLength } from '../core/model/names.ts'
import { useNow } from './client-context.tsx'
import { ModalDialog } from './modal-dialog.tsx'

export interface NameQuestion {
  title: string
  /** A sentence under the title; may be empty. One that depends on the time is asked for again. */
  text: string | (() => string)
  label: string
  /** In the field to begin with, without its extension selected. */
  suggestion: string
  action: string
  /** Whether the empty answer is one. */
  mayBeEmpty: boolean
  /** Returns a sentence to show under the field when the name will not do. */
  answer: (name: string) => Promise<string | undefined>
  /** The dialog is gone after an answer; with what was typed in the field since that was asked for. */
  goOn?: (letters: string) => void
}

interface NameDialogProps {
  question: NameQuestion
  close: () => void
}

export function NameDialog({ question, close }: NameDialogProps) {
  return (
    <ModalDialog close={close}>
      <NameForm {...{ question, close }} />
    </ModalDialog>
  )
}

/** So often a sentence is asked for again. */
const lookEveryMs = 250

function NameForm({ question, close }: NameDialogProps) {
  const [name, setName] = useState(question.suggestion)
  const [problem, setProblem] = useState('')
  const [isAsking, setAsking] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const isClosed = useRef(false)
  useEffect(() => {
    isClosed.current = false
    input.current?.focus()
    input.current?.setSelectionRange(0, stemLength(question.suggestion))
    return () => {
      isClosed.current = true
    }
  }, [question])

  const { text: said } = question
  useNow(lookEveryMs, typeof said === 'function')
  const text = typeof said === 'function' ? said() : said

  const submit = async () => {
    if (isAsking) return
    if (name.trim() === '' && !question.mayBeEmpty) {
      setProblem('Type a name.')
      return
    }
    const field = input.current!
    const [asked, caret] = [field.value, field.selectionEnd ?? field.value.length]
    setAsking(true)
    const objection = await question.answer(name.trim())
    if (isClosed.current) return
    setAsking(false)
    if (objection !== undefined) {
      setProblem(objection)
      return
    }
    const letters = typedAt(caret, asked, field.value)
    // The focus has gone back to where it was: from there it may go on.
    flushSync(close)
    question.goOn?.(letters)
  }
  return (
    <Form
      validationBehavior="aria"
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      <Heading slot="title" level={2}>
        {question.title}
      </Heading>
      {text !== '' && <p className="muted">{text}</p>}
      <TextField
        value={name}
        isInvalid={problem !== ''}
        autoComplete="off"
        onChange={(value) => {
          setName(value)
          setProblem('')
        }}
      >
        <Label>{question.label}</Label>
        <Input ref={input} spellCheck="false" />
        <FieldError>{problem}</FieldError>
      </TextField>
      <span className="actions end">
        <Button className="button" onPress={close}>
          Cancel
        </Button>
        <Button type="submit" className="button primary" isPending={isAsking}>
          {question.action}
        </Button>
      </span>
    </Form>
  )
}

/** What stands at `caret` that was not there before; nothing if something else changed. */
function typedAt(caret: number, before: string, now: string): string {
  const typed = now.slice(caret, caret + now.length - before.length)
  return before.slice(0, caret) + typed + before.slice(caret) === now ? typed : ''
}

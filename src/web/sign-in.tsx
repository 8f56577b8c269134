// The first screen: one field for the screen name.

import { useEffect, useState } from 'react'
import { Button, FieldError, Form, Input, Label, Text, TextField } from 'react-aria-components'
import { screenNameMax } from '../core/model/limits.ts'
import { Mark } from './mark.tsx'
import { suggested } from './names.ts'

interface SignInProps {
  /** Shown in the field to begin with. */
  wanted: string
  /** Why the last try failed; empty: it did not. */
  problem: string
  isJoining: boolean
  signIn: (name: string) => void
}

export function SignIn({ wanted, problem, isJoining, signIn }: SignInProps) {
  const [name, setName] = useState(wanted)
  const [shownProblem, setShownProblem] = useState(problem)
  useEffect(() => setShownProblem(problem), [problem])
  const suggestion = shownProblem === '' ? '' : suggested(wanted)

  return (
    <main className="sign-in">
      <Form
        className="sign-in-card"
        validationBehavior="aria"
        onSubmit={(event) => {
          event.preventDefault()
          if (name.trim() === '') setShownProblem('Type the name that others will see.')
          else if (!isJoining) signIn(name.trim())
        }}
      >
        <h1>
          <Mark /> Fourfold
        </h1>
        <p className="muted">Write together. Four servers keep every word; any one is enough.</p>
        <TextField
          autoFocus
          value={name}
          maxLength={screenNameMax}
          isInvalid={shownProblem !== ''}
          autoComplete="nickname"
          onChange={(value) => {
            setName(value)
            setShownProblem('')
          }}
        >
          <Label>Your name</Label>
          <Input placeholder="Ana" spellCheck="false" />
          <Text slot="description">The others here see it beside your caret.</Text>
          <FieldError>{shownProblem}</FieldError>
        </TextField>
        {suggestion !== '' && (
          <Button className="button quiet" onPress={() => signIn(suggestion)}>
            Join as “{suggestion}”
          </Button>
        )}
        <Button type="submit" className="button primary" isPending={isJoining}>
          {isJoining ? 'Joining…' : 'Join'}
        </Button>
      </Form>
    </main>
  )
}

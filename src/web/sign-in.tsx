// The first screen: a field for the screen name, and one for the password of a set that has one.

import { useState } from 'react'
import { Button, FieldError, Form, Input, Label, Text, TextField } from 'react-aria-components'
import { screenNameMax } from '../core/model/limits.ts'
import { Mark } from './mark.tsx'
import { screenNameRule, suggested } from './names.ts'
import { asksForPassword } from './pass.ts'

/** Why somebody was not let in. */
export interface Problem {
  field: 'name' | 'password'
  /** A sentence; empty: it was only left out. */
  text: string
  /** Somebody else has the name. */
  isTaken?: boolean
}

interface SignInProps {
  /** Shown in the field to begin with. */
  wanted: string
  /** Of the last try, if it failed. */
  problem: Problem | undefined
  isJoining: boolean
  /** `password`: where this set asks for one. */
  signIn: (name: string, password: string | undefined) => void
}

export function SignIn({ wanted, problem, isJoining, signIn }: SignInProps) {
  const [name, setName] = useState(wanted)
  const [password, setPassword] = useState('')
  const [shown, setShown] = useState(problem)
  const [told, setTold] = useState(problem)
  if (told !== problem) {
    setTold(problem)
    setShown(problem)
  }
  const asksPassword = asksForPassword()
  const suggestion = shown?.isTaken === true ? suggested(wanted) : ''
  const join = (as: string) => {
    const rule = as === '' ? 'Type the name that others will see.' : screenNameRule(as)
    if (rule !== undefined) setShown({ field: 'name', text: rule })
    else if (asksPassword && password === '') {
      setShown({ field: 'password', text: 'Type the password.' })
    } else if (!isJoining) signIn(as, asksPassword ? password : undefined)
  }

  return (
    <main className="sign-in">
      <Form
        className="sign-in-card"
        validationBehavior="aria"
        onSubmit={(event) => {
          event.preventDefault()
          join(name.trim())
        }}
      >
        <h1>
          <Mark /> Fourfold
        </h1>
        <p className="muted">Write together. Four servers keep every word; any one is enough.</p>
        <TextField
          autoFocus
          name="username"
          value={name}
          maxLength={screenNameMax}
          isInvalid={shown?.field === 'name'}
          autoComplete={asksPassword ? 'username' : 'nickname'}
          onChange={(value) => {
            setName(value)
            setShown(undefined)
          }}
        >
          <Label>Your name</Label>
          <Input placeholder="Ana" spellCheck="false" />
          <Text slot="description">The others here see it beside your caret.</Text>
          <FieldError>{shown?.text}</FieldError>
        </TextField>
        {asksPassword && (
          <TextField
            // It appears when the servers ask for it: then it is what is left to do.
            autoFocus={name !== ''}
            name="password"
            type="password"
            value={password}
            isInvalid={shown?.field === 'password' && shown.text !== ''}
            autoComplete="current-password"
            onChange={(value) => {
              setPassword(value)
              setShown(undefined)
            }}
          >
            <Label>Password</Label>
            <Input />
            <Text slot="description">
              One for everybody here: ask whoever runs the servers, or sent you the link.
            </Text>
            <FieldError>{shown?.text}</FieldError>
          </TextField>
        )}
        {suggestion !== '' && (
          <Button className="button quiet" onPress={() => join(suggestion)}>
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

// What a word that is no command was meant to be.

/** One of the commands; undefined: nobody knows. */
export function meant(word: string, commands: readonly string[]): string | undefined {
  if (Object.hasOwn(aliases, word)) return aliases[word]
  return commands.find((command) => isNear(command, word))
}

/** What the same is called elsewhere. */
const aliases: { [name: string]: string } = {
  ...{ dir: 'ls', list: 'ls', tree: 'ls', less: 'cat', read: 'cat', show: 'cat' },
  ...{ download: 'get', pull: 'get', upload: 'put', push: 'put', add: 'put', save: 'put' },
  ...{
    rename: 'mv',
    move: 'mv',
    copy: 'cp',
    delete: 'rm',
    remove: 'rm',
    del: 'rm',
    undo: 'restore',
  },
  ...{
    search: 'grep',
    sync: 'mirror',
    mount: 'mirror',
    log: 'watch',
    start: 'up',
    server: 'serve',
  },
}

/** Whether they differ in one letter: another, one more, one less, or two in the other order. */
function isNear(command: string, name: string): boolean {
  const start = [...command].findIndex((letter, index) => letter !== name[index])
  if (start === -1) return name.length === command.length + 1
  const rest = (text: string, skipped: number) => text.slice(start + skipped)
  const isTurned = name.startsWith(`${command[start + 1]}${command[start]}`, start)
  return (
    rest(command, 1) === rest(name, 1) ||
    rest(command, 1) === rest(name, 0) ||
    rest(command, 0) === rest(name, 1) ||
    (isTurned && rest(command, 2) === rest(name, 2))
  )
}

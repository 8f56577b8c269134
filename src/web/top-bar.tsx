// The bar on top: the file's name, where it is saved, who is here, and what else can be done.

import { Ellipsis, PanelLeft } from 'lucide-react'
import { useRef } from 'react'
import { useLandmark } from 'react-aria/useLandmark'
import {
  Button,
  Menu,
  MenuItem,
  MenuSection,
  MenuTrigger,
  Popover,
  Separator,
} from 'react-aria-components'
import type { FileInfo } from '../client/api.ts'
import { Avatars } from './avatars.tsx'
import { useClient, useMedia } from './client-context.tsx'
import { type Commands, keysShown } from './commands.ts'
import { PathAbove } from './breadcrumbs.tsx'
import { FileName } from './file-name.tsx'
import type { FolderTree } from './folder-tree.ts'
import { IconButton } from './icon-button.tsx'
import { Mark } from './mark.tsx'
import type { OpenFile } from './open-file.ts'
import { token } from './pass.ts'
import { initials, type PersonHere } from './people.ts'
import { StatusChip } from './status-chip.tsx'
import { ThemeMenu } from './theme-menu.tsx'

interface TopBarProps {
  commands: Commands
  file: FileInfo | undefined
  open: OpenFile | undefined
  tree: FolderTree
  /** An entry was chosen beside a directory of the path. */
  choose: (entry: FileInfo) => void
  isNaming: boolean
  setNaming: (isNaming: boolean) => void
  rename: (name: string) => void
  goTo: (person: PersonHere) => void
  download: () => void
  copyLink: () => void
  leave: () => void
  signOut: () => void
  hasUpdate: boolean
}

export function TopBar(props: TopBarProps) {
  const { commands, file, open, tree, choose, isNaming, setNaming, rename, goTo, hasUpdate } = props
  const bar = useRef<HTMLElement>(null)
  const { landmarkProps } = useLandmark({ role: 'banner', 'aria-label': 'This file' }, bar)
  const isPhone = useMedia('(max-width: 639px)')
  return (
    <header {...landmarkProps} ref={bar} className="top-bar">
      <IconButton
        label="Files"
        keys={commands.leftPane.keys}
        icon={<PanelLeft size={18} aria-hidden />}
        onPress={commands.leftPane.run}
      />
      {!isPhone && <Mark />}
      {file ? (
        <>
          {!isPhone && <PathAbove {...{ file, tree, choose }} />}
          <FileName {...{ file, isNaming, setNaming, rename }} />
        </>
      ) : (
        <span className="product">Fourfold</span>
      )}
      <StatusChip file={open} fileName={file?.name ?? ''} hasUpdate={hasUpdate} />
      <span className="space" />
      {open && <Avatars file={open} shownMax={isPhone ? 1 : 4} goTo={goTo} />}
      <FileMenu {...props} />
      <ThemeMenu />
      <Me {...props} />
    </header>
  )
}

function FileMenu({ commands, file, download, copyLink }: TopBarProps) {
  const item = ({ label, keys, run, isDisabled = false }: Commands['new'], className = '') => (
    <MenuItem
      className={`menu-item ${className}`}
      textValue={label}
      onAction={run}
      isDisabled={isDisabled}
    >
      {label}
      {keys !== '' && <kbd>{keysShown(keys)}</kbd>}
    </MenuItem>
  )
  return (
    <MenuTrigger>
      <Button className="icon-button" aria-label="File menu">
        <Ellipsis size={18} aria-hidden />
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu" aria-label="File menu">
          <MenuSection aria-label="File">
            {item(commands.new)}
            {item(commands.newFolder)}
            {item(commands.upload)}
            {item(commands.importArchives)}
            {item(commands.open)}
            {item(commands.searchAll)}
            {item(commands.save)}
            {item(commands.saveAs)}
          </MenuSection>
          <Separator />
          <MenuSection aria-label="This file">
            {item(commands.rename)}
            {item(commands.duplicate)}
            {item(commands.move)}
            {item(commands.history)}
            {item(commands.picture)}
            <MenuItem className="menu-item" onAction={download} isDisabled={!file}>
              Download
            </MenuItem>
            <MenuItem className="menu-item" onAction={copyLink} isDisabled={!file}>
              Copy link
            </MenuItem>
            {item(commands.remove, 'danger')}
          </MenuSection>
          <Separator />
          {item(commands.connect)}
          {item(commands.palette)}
          {item(commands.keys)}
        </Menu>
      </Popover>
    </MenuTrigger>
  )
}

function Me({ leave, signOut }: Pick<TopBarProps, 'leave' | 'signOut'>) {
  const { name } = useClient()
  return (
    <MenuTrigger>
      <Button className="avatar is-me" aria-label={`You are ${name}`}>
        {initials(name)}
      </Button>
      <Popover className="popover" placement="bottom end">
        <p className="menu-title">You are {name}</p>
        <Menu className="menu" aria-label="You">
          <MenuItem className="menu-item" onAction={leave}>
            Change name…
          </MenuItem>
          {token() !== '' && (
            <MenuItem className="menu-item" onAction={signOut}>
              Sign out
            </MenuItem>
          )}
        </Menu>
      </Popover>
    </MenuTrigger>
  )
}
